import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { createMD5, createSHA1 } from "hash-wasm";
import { acceptKey, challengeDigest, md5, sha1 } from "../../src/digest/digest.ts";
import { digests } from "../../src/digest/instance.ts";

/** The published answers, and further ones that were made with Python's hashlib. */
const VECTOR_FILES = ["draft76_vectors.json", "draft76_vectors_generated.json"];
/** A published challenge (draft76 §1.3): its numbers, key3 and the answer. */
const PART1 = 155712099;
const PART2 = 173347027;
const KEY3 = ascii("Tm[K T2u");
const ANSWER = "fQJ,fN/4F4!~K~MH";

const hashers = { md5: await createMD5(), sha1: await createSHA1() };
const ours = { md5, sha1 };

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Bytes that look random and are the same in each run (Marsaglia's xorshift32). */
function randomBytes(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

/** Compares both digests of a message with those of hash-wasm. */
function compare(message: Uint8Array, what = `${message.length} bytes`): void {
  for (const name of ["md5", "sha1"] as const) {
    const expected = hashers[name].init().update(message).digest("hex");
    assertStrictEquals(hex(ours[name](message)), expected, `${name} of ${what}`);
  }
}

/** The number of a `Sec-WebSocket-Key1` or `Key2` (draft76 §5.2). */
function part(key: string): number {
  return Number(key.replace(/[^0-9]/g, "")) / key.replace(/[^ ]/g, "").length;
}

describe("md5", () => {
  const suite = [
    ["", "d41d8cd98f00b204e9800998ecf8427e"],
    ["a", "0cc175b9c0f1b6a831c399e269772661"],
    ["abc", "900150983cd24fb0d6963f7d28e17f72"],
    ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
    ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
    [
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
      "d174ab98d277d9f5a5611c2c9f419d9f",
    ],
    ["1234567890".repeat(8), "57edf4a22be3c955ac49da2e2107b67a"],
  ] as const;
  for (const [message, digest] of suite) {
    test(`RFC 1321 §A.5: "${message}"`, () => assertEquals(hex(md5(ascii(message))), digest));
  }
});

describe("sha1", () => {
  const suite = [
    ["nothing", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ["one block", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    [
      "two blocks",
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
    ],
    [
      "896 bits",
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn" +
      "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "a49b2446a02c645bf419f995b67091253a04a259",
    ],
    ["a million", "a".repeat(1_000_000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"],
  ] as const;
  for (const [name, message, digest] of suite) {
    test(`FIPS 180: ${name}`, () => assertEquals(hex(sha1(ascii(message))), digest));
  }
});

describe("md5 and sha1 beside hash-wasm", () => {
  test("every length from 0 to 300", () => {
    for (let length = 0; length <= 300; length++) compare(randomBytes(length, length + 1));
  });

  test("around the ends of the window", () => {
    const size = digests().window.length;
    for (let length = size - 140; length <= size + 140; length++) compare(randomBytes(length, 7));
    for (let length = 2 * size - 140; length <= 2 * size; length += 4) {
      compare(randomBytes(length, 8));
    }
  });

  test("400 random lengths", () => {
    const lengths = new DataView(randomBytes(1600, 76).buffer);
    for (let i = 0; i < 400; i++) {
      // A length of up to 1 MiB: each number of bits as often as the others.
      const length = lengths.getUint32(4 * i) >>> (12 + i % 20);
      compare(randomBytes(length, i + 1));
    }
    compare(randomBytes(1 << 20, 1));
  });

  test("bytes in the middle of a buffer", () => {
    compare(randomBytes(1000, 5).subarray(123, 456));
  });

  test("a long message does not make the memory grow", () => {
    const { buffer } = digests().window;
    sha1(new Uint8Array(4 << 20));
    assertStrictEquals(digests().window.buffer, buffer);
    assertEquals(buffer.byteLength, 65536);
  });
});

describe("challengeDigest", () => {
  for (const file of VECTOR_FILES) {
    const rows: { key1: string; key2: string; key3_hex: string; response_hex: string }[] = JSON
      .parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), "utf8"));

    for (const { key1, key2, key3_hex, response_hex } of rows) {
      test(`${file}: "${key1}", "${key2}", ${key3_hex}`, () => {
        const key3 = Uint8Array.from(Buffer.from(key3_hex, "hex"));
        assertEquals(hex(challengeDigest(part(key1), part(key2), key3)), response_hex);
      });
    }
  }

  test("of any numbers and bytes is the MD5 of them", () => {
    const random = randomBytes(16_000, 6);
    for (let at = 0; at < random.length; at += 16) {
      const message = random.slice(at, at + 16);
      const view = new DataView(message.buffer);
      const answer = challengeDigest(view.getUint32(0), view.getUint32(4), message.subarray(8));
      assertStrictEquals(hex(answer), hex(md5(message)));
    }
  });
});

describe("acceptKey", () => {
  test("RFC 6455 §1.3", () => {
    assertEquals(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  /** The accept key by hash-wasm and Node's base64. */
  function expected(key: string): string {
    const bytes = Buffer.from(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "latin1");
    return Buffer.from(hashers.sha1.init().update(bytes).digest("hex"), "hex").toString("base64");
  }

  test("1000 random keys", () => {
    const random = randomBytes(16_000, 13);
    for (let at = 0; at < random.length; at += 16) {
      const key = Buffer.from(random.subarray(at, at + 16)).toString("base64");
      assertStrictEquals(acceptKey(key), expected(key), key);
    }
  });

  test("every length of ASCII from 0 to 300", () => {
    for (let length = 0; length <= 300; length++) {
      const key = String.fromCharCode(...randomBytes(length, length + 1).map((byte) => byte & 127));
      assertStrictEquals(acceptKey(key), expected(key), `${length} characters`);
    }
  });

  test("bytes above 0x7F, at the length of a key and at another", () => {
    for (const key of ["\xff".repeat(24), "caf\xe9"]) assertEquals(acceptKey(key), expected(key));
  });

  test("a key that is part of a longer string", () => {
    const head = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assertEquals(acceptKey(head.slice(19, 43)), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});

describe("one call and another", () => {
  test("a digest stays as it was returned", () => {
    const results = [md5(ascii("abc")), sha1(ascii("abc")), challengeDigest(PART1, PART2, KEY3)];
    const before = results.map(hex);
    md5(ascii("def"));
    sha1(ascii("def"));
    challengeDigest(PART2, PART1, KEY3);
    acceptKey("dGhlIHNhbXBsZSBub25jZQ==");
    assertEquals(results.map(hex), before);
  });

  test("1000 answers to challenges stay as they were returned", () => {
    const answers = Array.from({ length: 1000 }, (_, i) => challengeDigest(i, PART2, KEY3));
    assertEquals(new Set(answers.map(hex)).size, 1000);
    answers.forEach((answer, i) => {
      assertEquals(answer.length, 16);
      assertStrictEquals(hex(answer), hex(challengeDigest(i, PART2, KEY3)));
    });
  });

  test("what a caller does with a digest does not reach the next one", () => {
    md5(ascii("abc")).fill(0);
    sha1(ascii("abc")).fill(0);
    challengeDigest(PART1, PART2, KEY3).fill(0);
    assertEquals(hex(md5(ascii("abc"))), "900150983cd24fb0d6963f7d28e17f72");
    assertEquals(hex(sha1(ascii("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assertEquals(challengeDigest(PART1, PART2, KEY3), ascii(ANSWER));
  });

  test("an answer may be transferred with its buffer", () => {
    const { buffer } = challengeDigest(PART1, PART2, KEY3);
    assert(buffer instanceof ArrayBuffer);
    structuredClone(buffer, { transfer: [buffer] });
    assertEquals(challengeDigest(PART1, PART2, KEY3), ascii(ANSWER));
  });

  test("long messages do not disturb the blocks of the handshakes", () => {
    const message = randomBytes(200_000, 3);
    compare(message);
    assertEquals(challengeDigest(PART1, PART2, KEY3), ascii(ANSWER));
    assertEquals(acceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});
