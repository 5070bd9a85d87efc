import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError } from "../../src/errors.ts";
import {
  checkFirstByte,
  checkSecondByte,
  frameRules,
  readLength,
  readMaskingKey,
  type Role,
  sizeOfHeader,
  sizeOfLength,
  writeHeader,
} from "../../src/protocol/frame_header.ts";
import { hex } from "./hixie_cases.ts";

const RESERVED = "reserved bits must be 0 unless an extension defines them (RFC 6455 §5.2)";
const OPCODE = "opcodes 3 to 7 and 11 to 15 are reserved (RFC 6455 §5.2)";
const FRAGMENTED = "control frames must not be fragmented (RFC 6455 §5.5)";
const NO_MESSAGE = "a continuation frame must follow a frame of its message (RFC 6455 §5.4)";
const MESSAGE = "a message must not begin inside of a fragmented one (RFC 6455 §5.4)";
const UNMASKED = "frames from a client must be masked (RFC 6455 §5.1)";
const MASKED = "frames from a server must not be masked (RFC 6455 §5.1)";
const LONG_CONTROL = "control frames must have a payload of 125 bytes at most (RFC 6455 §5.5)";
const SIGN = "the most significant bit of a length must be 0 (RFC 6455 §5.2)";
const FEWEST = "lengths must be in the fewest bytes (RFC 6455 §5.2)";

/** What `check` throws: the message of an error with code 1002, `undefined` if it does not throw. */
function broken(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    assertEquals(error.code, 1002);
    return error.message;
  }
}

describe("a first byte", () => {
  type Broken = string | undefined;
  /** The rule that is broken outside and inside a fragmented message; with FIN and without. */
  type FirstByteRow = readonly [
    outside: readonly [fin: Broken, more: Broken],
    inside: readonly [fin: Broken, more: Broken],
  ];
  const good = [undefined, undefined] as const;
  const data: FirstByteRow = [good, [MESSAGE, MESSAGE]];
  const control: FirstByteRow = [[undefined, FRAGMENTED], [undefined, FRAGMENTED]];
  const reserved: FirstByteRow = [[OPCODE, OPCODE], [OPCODE, OPCODE]];
  const rows: readonly FirstByteRow[] = [
    [[NO_MESSAGE, NO_MESSAGE], good],
    ...[data, data, reserved, reserved, reserved, reserved, reserved],
    ...[control, control, control, reserved, reserved, reserved, reserved, reserved],
  ];

  rows.forEach(([outside, inside], opcode) => {
    test(`of opcode ${opcode}, with all bits before it`, () => {
      for (const [continuing, [fin, more]] of [[false, outside], [true, inside]] as const) {
        for (let bits = 0; bits < 16; bits++) {
          const expected = bits % 8 !== 0 ? RESERVED : bits === 8 ? fin : more;
          assertEquals(broken(() => checkFirstByte(bits * 16 + opcode, continuing)), expected);
        }
      }
    });
  });
});

describe("a second byte", () => {
  const rows: readonly [role: Role, isOld: boolean][] = [
    ["server", false],
    ["server", true],
    ["client", false],
    ["client", true],
  ];
  for (const [role, isOld] of rows) {
    test(`that a ${role} receives, ${isOld ? "versions 7 and 8" : "RFC 6455"}`, () => {
      const rules = frameRules(role, isOld);
      assertEquals([rules.isServer, rules.isOld], [role === "server", isOld]);
      for (const first of [0x00, 0x01, 0x82, 0x88, 0x89, 0x8a]) {
        for (let second = 0; second < 256; second++) {
          const masked = second >= 128;
          const isLong = first >= 0x88 && !isOld && second % 128 > 125;
          const expected = role === "server" && !masked
            ? UNMASKED
            : role === "client" && masked
            ? MASKED
            : isLong
            ? LONG_CONTROL
            : undefined;
          assertEquals(broken(() => checkSecondByte(first, second, rules)), expected);
        }
      }
    });
  }

  test("tells how many bytes of length follow", () => {
    const seconds = [0, 1, 125, 126, 127, 128, 253, 254, 255];
    assertEquals(seconds.map(sizeOfLength), [0, 0, 0, 2, 8, 0, 0, 2, 8]);
  });
});

describe("a length after the second byte", () => {
  /** The header until the length, and the length or the broken rule; in RFC 6455 and before. */
  const rows: readonly [header: string, now: number | string, old: number | string][] = [
    ["82 FE 00 00", FEWEST, 0],
    ["82 FE 00 7D", FEWEST, 125],
    ["82 FE 00 7E", 126, 126],
    ["82 7E 01 00", 256, 256],
    ["82 FE FF FF", 65535, 65535],
    ["82 FF 00 00 00 00 00 00 00 01", FEWEST, 1],
    ["82 FF 00 00 00 00 00 00 FF FF", FEWEST, 65535],
    ["82 FF 00 00 00 00 00 01 00 00", 65536, 65536],
    ["82 7F 00 01 02 03 04 05 06 07", 0x01020304050607, 0x01020304050607],
    ["82 FF 7F FF FF FF FF FF FF FF", 2 ** 63, 2 ** 63],
    ["82 FF 80 00 00 00 00 01 00 00", SIGN, SIGN],
    ["82 FF FF FF FF FF FF FF FF FF", SIGN, SIGN],
    ["89 FE 00 7D", FEWEST, 125],
    ["89 FE 00 7E", LONG_CONTROL, LONG_CONTROL],
    ["88 FF 00 00 00 00 00 00 00 7D", FEWEST, 125],
    ["88 FF 00 00 00 00 00 01 00 00", LONG_CONTROL, LONG_CONTROL],
    ["08 FE 00 7E", LONG_CONTROL, LONG_CONTROL],
    ["77 FE 00 7E", 126, 126],
  ];
  for (const [header, now, old] of rows) {
    test(header, () => {
      for (const [expected, isOld] of [[now, false], [old, true]] as const) {
        for (const before of [0, 3]) {
          const bytes = new Uint8Array([...new Uint8Array(before).fill(0xff), ...hex(header)]);
          const read = () => readLength(bytes, before + 2, frameRules("server", isOld));
          if (typeof expected === "number") assertEquals(read(), expected);
          else assertEquals(broken(read), expected);
        }
      }
    });
  }
});

test("a masking key is read with its first byte lowest", () => {
  assertEquals(readMaskingKey(hex("FF 01 02 03 04 FF"), 1), 0x04030201);
  assertEquals(readMaskingKey(hex("F1 F2 F3 F4"), 0), 0xf4f3f2f1 | 0);
});

describe("a header that is written", () => {
  const rows: readonly [payloadLength: number, header: string, masked: string][] = [
    [0, "82 00", "82 80"],
    [125, "82 7D", "82 FD"],
    [126, "82 7E 00 7E", "82 FE 00 7E"],
    [255, "82 7E 00 FF", "82 FE 00 FF"],
    [256, "82 7E 01 00", "82 FE 01 00"],
    [65535, "82 7E FF FF", "82 FE FF FF"],
    [65536, "82 7F 00 00 00 00 00 01 00 00", "82 FF 00 00 00 00 00 01 00 00"],
    [2 ** 32 + 258, "82 7F 00 00 00 01 00 00 01 02", "82 FF 00 00 00 01 00 00 01 02"],
    [0x01020304050607, "82 7F 00 01 02 03 04 05 06 07", "82 FF 00 01 02 03 04 05 06 07"],
  ];
  for (const [payloadLength, header, masked] of rows) {
    test(`for ${payloadLength} bytes`, () => {
      for (const [expected, mask] of [[hex(header), 0], [hex(masked), 0x80]] as const) {
        assertEquals(sizeOfHeader(payloadLength), expected.length);
        const bytes = new Uint8Array(16).fill(0x2a);
        const end = writeHeader(bytes, 3, 0x82, mask, payloadLength);
        assertEquals(end, 3 + expected.length);
        assertEquals(bytes.slice(3, end), expected);
        const around = [...bytes.slice(0, 3), ...bytes.slice(end)];
        assertEquals(around, Array(16 - expected.length).fill(0x2a), "the bytes around it");
      }
    });
  }
});
