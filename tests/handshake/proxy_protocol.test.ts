import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import { crc32c } from "../../src/handshake/crc32c.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { withoutStacks } from "../support/rows.ts";
import { proxyV2 } from "../support/proxy_header.ts";
import { IPV4, IPV6, read, v4, VALID_HEADERS } from "./proxy_headers.ts";

/**
 * Splits bytes: whole, byte by byte, and in two at every position. The longest header is split at few
 * positions inside its last field, whose bytes are only counted; `task fuzz` splits it elsewhere.
 */
function* splits(bytes: Uint8Array): Generator<Uint8Array[]> {
  const positions = Array.from(bytes, (_, at) => at).filter((at) =>
    at > 0 && (bytes.length < 1000 || at <= 40 || at > bytes.length - 10 || at % 4096 === 0)
  );
  yield [bytes];
  yield [0, ...positions].map((at, i) => bytes.slice(at, positions[i]));
  for (const at of positions) yield [bytes.slice(0, at), bytes.slice(at)];
}

describe("a PROXY header", () => {
  for (const { name, bytes, header } of VALID_HEADERS) {
    test(name, () => {
      for (const chunks of splits(bytes)) {
        assertEquals(read(chunks), { header, length: bytes.length });
      }
      // The bytes after the header belong to the connection.
      const followed = new Uint8Array([...bytes, ...bytes, 0x0a]);
      assertEquals(read([followed]), { header, length: bytes.length });
      for (const end of [0, 1, bytes.length >> 1, bytes.length - 1]) {
        assertEquals(read([bytes.subarray(0, end)]), undefined, `${end} bytes`);
      }
    });
  }
});

const NO_HEADER = "a connection must begin with a PROXY header, got";
const TWO = "must be followed by two addresses and two ports, got";

const invalid: readonly (readonly [bytes: string | Uint8Array, message: string])[] = [
  ["GET / HTTP/1.1\r\n", `${NO_HEADER} "G" (PROXY protocol §2)`],
  ["PROXIMITY", `${NO_HEADER} "PROXI" (PROXY protocol §2)`],
  ["proxy TCP4", `${NO_HEADER} "p" (PROXY protocol §2)`],
  ["PROXY\r\n", `${NO_HEADER} "PROXY\\r" (PROXY protocol §2)`],
  ["\x16\x03\x01", `${NO_HEADER} "\\u0016" (PROXY protocol §2)`],
  ["\r\nGET", `${NO_HEADER} "\\r\\nG" (PROXY protocol §2)`],
  ["\r\n\r\n\0\r\nQUIT\r", `${NO_HEADER} "\\r\\n\\r\\n\\u0000\\r\\nQUIT\\r" (PROXY protocol §2)`],
  ["PROXY UNKNOWN\n", "a header of version 1 must end with CRLF (PROXY protocol §2.1)"],
  ["PROXY TCP4 10.0.0.1\n192.0.2.7 1 2\r\n", "must end with CRLF"],
  [`PROXY UNKNOWN ${"x".repeat(93)}`, "must have at most 107 bytes (PROXY protocol §2.1)"],
  [`PROXY UNKNOWN ${"x".repeat(92)}\r\n`, "must have at most 107 bytes (PROXY protocol §2.1)"],
  ["PROXY \r\n", 'the family must be TCP4, TCP6 or UNKNOWN, got "" (PROXY protocol §2.1)'],
  ["PROXY  TCP4 10.0.0.1 192.0.2.7 1 2\r\n", "the family must be TCP4, TCP6 or UNKNOWN"],
  ["PROXY UDP4 10.0.0.1 192.0.2.7 1 2\r\n", 'got "UDP4"'],
  ["PROXY tcp4 10.0.0.1 192.0.2.7 1 2\r\n", 'got "tcp4"'],
  ["PROXY UNKNOWNS\r\n", 'got "UNKNOWNS"'],
  ["PROXY TCP4\r\n", `TCP4 ${TWO} "PROXY TCP4" (PROXY protocol §2.1)`],
  ...[
    "TCP4 10.0.0.1 192.0.2.7 1",
    "TCP4 10.0.0.1 192.0.2.7 1 2 3",
    "TCP4 10.0.0.1 192.0.2.7 1 2 ",
    "TCP4  10.0.0.1 192.0.2.7 1 2",
    "TCP4 10.0.0.1\t192.0.2.7 1 2",
    "TCP4 010.0.0.1 192.0.2.7 1 2",
    "TCP4 10.0.0.256 192.0.2.7 1 2",
    "TCP4 10.0.0 192.0.2.7 1 2",
    "TCP4 10.0.0.1 example.com 1 2",
    "TCP4 ::1 ::1 1 2",
    "TCP4 ::ffff:10.0.0.1 192.0.2.7 1 2",
    "TCP4 10.0.0.1 192.0.2.7 65536 2",
    "TCP4 10.0.0.1 192.0.2.7 1 99999",
    "TCP4 10.0.0.1 192.0.2.7 01 2",
    "TCP4 10.0.0.1 192.0.2.7 -1 2",
    "TCP4 10.0.0.1 192.0.2.7 +1 2",
    "TCP4 10.0.0.1 192.0.2.7 0x1 2",
    "TCP4 10.0.0.1 192.0.2.7 1 \r",
  ].map((line): [string, string] => [`PROXY ${line}\r\n`, `TCP4 ${TWO}`]),
  ...[
    "TCP6 10.0.0.1 192.0.2.7 1 2",
    "TCP6 [::1] [::2] 1 2",
    "TCP6 ::1 192.0.2.7 1 2",
    "TCP6 1::2::3 ::1 1 2",
    "TCP6 fe80::1%eth0 ::1 1 2",
    "TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2",
  ].map((line): [string, string] => [`PROXY ${line}\r\n`, `TCP6 ${TWO}`]),
  [proxyV2({ command: 0x11 }), "the version must be 2, got 1 (PROXY protocol §2.2)"],
  [proxyV2({ command: 0x31 }), "the version must be 2, got 3"],
  [proxyV2({ command: 0x22 }), "the command must be 0 or 1, got 2 (PROXY protocol §2.2)"],
  [proxyV2({ command: 0x2f }), "the command must be 0 or 1, got 15"],
  ...[0x01, 0x10, 0x12, 0x13, 0x20, 0x22, 0x30, 0x32, 0x41, 0xff].map(
    (family): [Uint8Array, string] => [
      proxyV2({ family, addresses: Array<number>(216).fill(1) }),
      `the family must be TCP, UNIX or UNSPEC, got 0x${family.toString(16).padStart(2, "0")}`,
    ],
  ),
  [proxyV2({ family: 0x11, addresses: IPV4.slice(1) }), "the length must be at least 12, got 11"],
  [proxyV2({ family: 0x11, addresses: [] }), "the length must be at least 12, got 0"],
  [proxyV2({ family: 0x21, addresses: IPV6.slice(1) }), "the length must be at least 36, got 35"],
  [
    proxyV2({ family: 0x31, addresses: Array<number>(215).fill(0) }),
    "the length must be at least 216, got 215",
  ],
  [
    proxyV2({ family: 0x11, addresses: [...IPV4, 0x04] }),
    "a field must not exceed the header (PROXY protocol §2.2)",
  ],
  [proxyV2({ family: 0x11, addresses: [...IPV4, 0x04, 0] }), "a field must not exceed the header"],
  [
    proxyV2({ family: 0x11, addresses: [...IPV4, 0x04, 0, 2] }),
    "a field must not exceed the header",
  ],
  [
    proxyV2({ family: 0x11, addresses: [...IPV4, 0x04, 0, 2, 9] }),
    "a field must not exceed the header",
  ],
  [proxyV2({ family: 0x00, addresses: [0x04] }), "a field must not exceed the header"],
  [v4([0x20, [1, 0, 0, 0]]), "the field SSL must have 5 bytes, got 4 (PROXY protocol §2.2.6)"],
  [v4([0x20, []]), "the field SSL must have 5 bytes, got 0"],
  [v4([0x20, [1, 0, 0, 0, 0, 0x21, 0, 9, 1]]), "a field must not exceed the header"],
  [v4([0x02, [0xff, 0xfe]]), "the authority must be UTF-8 (PROXY protocol §2.2.2)"],
  [v4([0x03, [0, 0, 0]]), "the checksum must have 4 bytes, got 3 (PROXY protocol §2.2.3)"],
  [
    v4([0x03, [1, 2, 3, 4]]),
    "the checksum must be the CRC-32C of the header (PROXY protocol §2.2.3)",
  ],
];

describe("no PROXY header", () => {
  for (const [given, message] of invalid) {
    const bytes = typeof given === "string" ? latin1Bytes(given) : given;
    const name = typeof given === "string" ? JSON.stringify(given) : `${bytes.length} bytes`;
    test(`${name.slice(0, 80)}: ${message}`, () => {
      const whole = assertThrows(() => read([bytes]), ProtocolError);
      assertEquals(whole.message.includes(message), true, whole.message);
      assertEquals(whole.code, 1002);
      withoutStacks(() => {
        for (const chunks of splits(bytes)) {
          assertEquals(assertThrows(() => read(chunks), ProtocolError).message, whole.message);
        }
      });
    });
  }

  test("is refused at the first byte that is wrong", () => {
    const prefix = latin1Bytes("\r\n\r\n\0\r\nQUIT\n");
    for (const [bytes, wrongAt] of [[latin1Bytes("PROXY "), 6], [prefix, 12]] as const) {
      for (let at = 0; at < wrongAt; at++) {
        const wrong = bytes.slice(0, at + 1);
        wrong[at] = 0x7f;
        assertThrows(() => read([wrong]), ProtocolError);
      }
      assertEquals(read([bytes]), undefined);
    }
  });
});

test("CRC-32C has the checksums of RFC 3720, appendix B.4", () => {
  const rows: [bytes: Uint8Array, checksum: number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [latin1Bytes("123456789"), 0xe3069283],
    [new Uint8Array(0), 0],
  ];
  for (const [bytes, checksum] of rows) assertEquals(crc32c(bytes), checksum);
});
