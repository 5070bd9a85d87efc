import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { decodeLatin1, latin1Decoder, writeLatin1 } from "../../src/handshake/latin1.ts";
import { latin1Bytes } from "../support/bytes.ts";

const every = Uint8Array.from({ length: 20_000 }, (_, i) => i % 256);
const text = Array.from(every, (byte) => String.fromCharCode(byte)).join("");

describe("heads as strings of a character for each byte", () => {
  const decoders = {
    "this runtime's": decodeLatin1,
    "without node:buffer": latin1Decoder({}),
    "with a node:buffer that lacks it": latin1Decoder({
      process: { getBuiltinModule: () => ({ Buffer: { prototype: {} } }) },
    }),
  };
  for (const [name, decode] of Object.entries(decoders)) {
    test(`decoded: ${name}`, () => {
      assertEquals(decode(every, 0, every.length), text);
      assertEquals(decode(every, 100, 9000), text.slice(100, 9000));
      assertEquals(decode(every, 5, 5), "");
    });
  }

  test("written, and nothing beside them", () => {
    for (const head of ["", "HTTP/1.1 101 ok", "Origin: \xe9\x80\xff", "\xff"]) {
      const bytes = new Uint8Array(40).fill(7);
      assertEquals(writeLatin1(head, bytes, 3), 3 + head.length);
      const expected = new Uint8Array(40).fill(7);
      expected.set(latin1Bytes(head), 3);
      assertEquals(bytes, expected);
    }
    const bytes = new Uint8Array(3);
    assertEquals(writeLatin1("abc", bytes), 3);
    assertEquals(bytes, latin1Bytes("abc"));
  });
});
