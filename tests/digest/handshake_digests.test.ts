import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { createMD5, createSHA1 } from "hash-wasm";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { acceptKey, challengeDigest, writeAcceptKey } from "../../src/digest/handshake_digests.ts";

/** The published answers, and more that were made with Python's hashlib. */
const VECTOR_FILES = ["draft76_vectors.json", "draft76_vectors_generated.json"];
/** A published challenge (draft76 §1.3): its numbers, key3 and the answer. */
const PART1 = 155712099;
const PART2 = 173347027;
const KEY3 = ascii("Tm[K T2u");
const ANSWER = "fQJ,fN/4F4!~K~MH";
/** A published key and its accept key (RFC 6455 §1.3). */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const hashers = { md5: await createMD5(), sha1: await createSHA1() };

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

/** The number of a `Sec-WebSocket-Key1` or `Key2` (draft76 §5.2). */
function part(key: string): number {
  return Number(key.replace(/[^0-9]/g, "")) / key.replace(/[^ ]/g, "").length;
}

/** The digest of a challenge by another implementation. */
function expectedAnswer(message: Uint8Array): string {
  return hashers.md5.init().update(message).digest("hex");
}

/** Compares the digest of a challenge of 16 bytes with that of another implementation. */
function compareChallenge(message: Uint8Array): void {
  const view = new DataView(message.buffer, message.byteOffset);
  const answer = challengeDigest(view.getUint32(0), view.getUint32(4), message.subarray(8));
  assertStrictEquals(hex(answer), expectedAnswer(message), hex(message));
}

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

  test("is the MD5 of any numbers and bytes", () => {
    const random = randomBytes(16_000, 6);
    for (let at = 0; at < random.length; at += 16) compareChallenge(random.slice(at, at + 16));
  });

  test("is the MD5 of each single bit, and of its complement", () => {
    for (let bit = 0; bit < 128; bit++) {
      const message = new Uint8Array(16);
      message[bit >> 3] = 1 << (bit & 7);
      compareChallenge(message);
      compareChallenge(message.map((byte) => ~byte));
    }
  });

  test("takes key3 from the middle of a buffer", () => {
    const chunk = ascii("...Tm[K T2u...").subarray(3, 11);
    assertEquals(challengeDigest(PART1, PART2, chunk), ascii(ANSWER));
  });
});

describe("acceptKey", () => {
  /** The accept key by hash-wasm and Node's base64. */
  function expected(key: string): string {
    const bytes = Buffer.from(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, "latin1");
    return Buffer.from(hashers.sha1.init().update(bytes).digest("hex"), "hex").toString("base64");
  }

  test("RFC 6455 §1.3", () => assertEquals(acceptKey(KEY), ACCEPT));

  test("is written in its place", () => {
    const bytes = new Uint8Array(33).fill(1);
    assertEquals(writeAcceptKey(KEY, bytes, 3), 31);
    assertEquals(bytes, Uint8Array.of(1, 1, 1, ...ascii(ACCEPT), 1, 1));
    assertThrows(() => writeAcceptKey("short", bytes, 3), RangeError);
  });

  test("of 5000 random keys", () => {
    const random = randomBytes(80_000, 13);
    for (let at = 0; at < random.length; at += 16) {
      const key = Buffer.from(random.subarray(at, at + 16)).toString("base64");
      assertStrictEquals(acceptKey(key), expected(key), key);
    }
  });

  test("of each single bit", () => {
    for (let bit = 0; bit < 24 * 8; bit++) {
      const bytes = new Uint8Array(24);
      bytes[bit >> 3] = 1 << (bit & 7);
      const key = String.fromCharCode(...bytes);
      assertStrictEquals(acceptKey(key), expected(key), `bit ${bit}`);
    }
  });

  test("of bytes above 0x7F", () => {
    const key = "\xff".repeat(24);
    assertEquals(acceptKey(key), expected(key));
  });

  test("of a key that is part of a longer string", () => {
    assertEquals(acceptKey(`Sec-WebSocket-Key: ${KEY}\r\n`.slice(19, 43)), ACCEPT);
  });

  test("throws if the key does not have 24 characters", () => {
    for (const length of [0, 1, 23, 25, 100]) {
      assertThrows(
        () => acceptKey("a".repeat(length)),
        RangeError,
        "Cannot compute Sec-WebSocket-Accept: Sec-WebSocket-Key must have 24 characters, " +
          `got ${length} (RFC 6455 §4.1)`,
      );
    }
    assertEquals(acceptKey(KEY), ACCEPT);
  });
});

describe("one call and the next", () => {
  test("1000 answers stay as they were returned", () => {
    const answers = Array.from({ length: 1000 }, (_, i) => challengeDigest(i, PART2, KEY3));
    acceptKey(KEY);
    assertEquals(new Set(answers.map(hex)).size, 1000);
    answers.forEach((answer, i) => {
      assertEquals(answer.length, 16);
      assertStrictEquals(hex(answer), hex(challengeDigest(i, PART2, KEY3)));
    });
  });

  test("changing an answer does not change the next", () => {
    challengeDigest(PART1, PART2, KEY3).fill(0);
    assertEquals(challengeDigest(PART1, PART2, KEY3), ascii(ANSWER));
  });

  test("the buffer of an answer may be transferred", () => {
    const { buffer } = challengeDigest(PART1, PART2, KEY3);
    assert(buffer instanceof ArrayBuffer);
    assertEquals(buffer.byteLength, 16);
    structuredClone(buffer, { transfer: [buffer] });
    assertEquals(challengeDigest(PART1, PART2, KEY3), ascii(ANSWER));
  });

  test("digests of both kinds may alternate", () => {
    for (let i = 0; i < 100; i++) {
      assertEquals(challengeDigest(PART1, PART2, KEY3), ascii(ANSWER));
      assertEquals(acceptKey(KEY), ACCEPT);
    }
  });
});

test("a digest may be computed while another one's argument is read", () => {
  // The only code of others that runs inside: the getter of an element.
  const key3 = new Proxy(KEY3, {
    get(target, property) {
      assertEquals(acceptKey(KEY), ACCEPT);
      compareChallenge(randomBytes(16, 7));
      return Reflect.get(target, property);
    },
  });
  assertEquals(challengeDigest(PART1, PART2, key3), ascii(ANSWER));
});
