/**
 * Valid headers of the PROXY protocol, for tests and for `task fuzz`.
 *
 * @module
 */
import { type ProxyHeader, ProxyHeaderReader } from "../../src/handshake/proxy_protocol.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { type Field, proxyV2, withChecksum } from "../support/proxy_header.ts";

/** The content of a header, as one line. */
function show({ source, destination, secure, alpn, authority }: ProxyHeader): string {
  const ends = [source, destination].map((end) =>
    end === undefined ? "-" : `${end.transport}|${end.hostname}|${end.port}`
  );
  const more = Object.entries({ secure, alpn, authority })
    .flatMap(([name, value]) => value === undefined ? [] : [`${name}=${value}`]);
  return [...ends, ...more].join(" ");
}

/** Reads chunks until the header is complete. Returns its content and its length in bytes. */
export function read(
  chunks: readonly Uint8Array[],
): { header: string; length: number } | undefined {
  const reader = new ProxyHeaderReader();
  let before = 0;
  for (const chunk of chunks) {
    const header = reader.read(chunk);
    if (header !== undefined) return { header: show(header), length: before + reader.consumed };
    before += chunk.length;
  }
  return undefined;
}

/** Addresses and ports of TCP over IPv4. */
export const IPV4: readonly number[] = [10, 0, 0, 1, 192, 0, 2, 7, 0x1f, 0x90, 0x01, 0xbb];
/** Addresses and ports of TCP over IPv6. */
export const IPV6: readonly number[] = [
  ...[0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1],
  ...[...Array<number>(10).fill(0), 0xff, 0xff, 192, 0, 2, 7],
  ...[0xff, 0xff, 0x00, 0x50],
];

function unixPaths(from: string, to: string): number[] {
  return [from, to].flatMap((path) => {
    const bytes = new TextEncoder().encode(path);
    return [...bytes, ...Array<number>(108 - bytes.length).fill(0)];
  });
}

const text = (value: string): number[] => [...new TextEncoder().encode(value)];

/** A header of version 2 with {@linkcode IPV4} and additional fields. */
export function v4(...fields: readonly Field[]): Uint8Array {
  return proxyV2({ family: 0x11, addresses: IPV4, fields });
}

const SSL_NAMES = [0x21, 0, 7, ...text("TLSv1.3"), 0x22, 0, 2, ...text("cn")];
const FROM_TO = "tcp|10.0.0.1|8080 tcp|192.0.2.7|443";

const rows: readonly (readonly [name: string, bytes: string | Uint8Array, header: string])[] = [
  ["TCP4", "PROXY TCP4 10.0.0.1 192.0.2.7 8080 443\r\n", FROM_TO],
  [
    "TCP4 with the extremes",
    "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n",
    "tcp|0.0.0.0|0 tcp|255.255.255.255|65535",
  ],
  ["TCP6", "PROXY TCP6 2001:DB8::1 ::1 8080 443\r\n", "tcp|2001:db8::1|8080 tcp|::1|443"],
  [
    "the longest TCP6",
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}fffe 65535 65535\r\n`,
    `tcp|${"ffff:".repeat(7)}ffff|65535 tcp|${"ffff:".repeat(7)}fffe|65535`,
  ],
  [
    "TCP6 with IPv4-mapped addresses",
    "PROXY TCP6 ::ffff:10.0.0.1 ::ffff:c000:207 8080 443\r\n",
    FROM_TO,
  ],
  ["UNKNOWN", "PROXY UNKNOWN\r\n", "- -"],
  ["UNKNOWN with more", "PROXY UNKNOWN ff:: 1.2.3 x 9\r\n", "- -"],
  ["a line of 107 bytes", `PROXY UNKNOWN ${"x".repeat(91)}\r\n`, "- -"],
  ["version 2: TCP4", v4(), FROM_TO],
  [
    "version 2: TCP6",
    proxyV2({ family: 0x21, addresses: IPV6 }),
    "tcp|2001:db8::1|65535 tcp|192.0.2.7|80",
  ],
  [
    "version 2: unix sockets",
    proxyV2({ family: 0x31, addresses: unixPaths("/run/ž", "/" + "x".repeat(107)) }),
    `unix|/run/ž|0 unix|/${"x".repeat(107)}|0`,
  ],
  [
    "version 2: unix sockets with the longest paths",
    proxyV2({ family: 0x31, addresses: unixPaths("a".repeat(108), "b".repeat(108)) }),
    `unix|${"a".repeat(108)}|0 unix|${"b".repeat(108)}|0`,
  ],
  [
    "version 2: unix sockets without a path",
    proxyV2({ family: 0x31, addresses: unixPaths("", "\0abstract") }),
    "unix||0 unix||0",
  ],
  ["version 2: UNSPEC", proxyV2({ family: 0x00 }), "- -"],
  [
    "version 2: UNSPEC with a field",
    proxyV2({ family: 0x00, fields: [[0x20, [1, 0, 0, 0, 0]]] }),
    "- - secure=true",
  ],
  ["version 2: LOCAL", proxyV2({ command: 0x20, family: 0x00 }), "- -"],
  [
    "version 2: LOCAL with addresses of an unknown family, which do not count",
    proxyV2({ command: 0x20, family: 0x77, addresses: [1, 2, 3] }),
    "- -",
  ],
  [
    "version 2: LOCAL with too short addresses",
    proxyV2({ command: 0x20, family: 0x11, addresses: [1, 2, 3] }),
    "- -",
  ],
  ["a client with TLS", v4([0x20, [1, 0, 0, 0, 0, ...SSL_NAMES]]), `${FROM_TO} secure=true`],
  ["a client without TLS", v4([0x20, [0, 0, 0, 0, 0]]), `${FROM_TO} secure=false`],
  [
    "a client with TLS whose certificate failed",
    v4([0x20, [7, 0, 0, 0, 9]]),
    `${FROM_TO} secure=true`,
  ],
  [
    "ALPN and authority",
    v4([0x01, text("http/1.1")], [0x02, text("žluť.example")]),
    `${FROM_TO} alpn=http/1.1 authority=žluť.example`,
  ],
  ["empty fields", v4([0x04, []], [0x01, []], [0x02, []]), `${FROM_TO} alpn= authority=`],
  ["fields that are not known", v4([0x05, text("id")], [0x30, [1]], [0xea, [2]]), FROM_TO],
  ["a checksum", withChecksum(v4([0x03, [0, 0, 0, 0]])), FROM_TO],
  [
    "a checksum between fields",
    withChecksum(v4([0x04, [9]], [0x03, [0, 0, 0, 0]], [0x02, text("a")])),
    `${FROM_TO} authority=a`,
  ],
  ["the longest header", v4([0x04, Array<number>(0xffff - 15).fill(7)]), FROM_TO],
];

/** A header: its bytes, and its content as one line. */
export interface ValidHeader {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly header: string;
}

/** Headers of both versions. */
export const VALID_HEADERS: readonly ValidHeader[] = rows.map(([name, given, header]) => ({
  name,
  bytes: typeof given === "string" ? latin1Bytes(given) : given,
  header,
}));
