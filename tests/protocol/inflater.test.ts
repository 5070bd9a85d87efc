import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import zlib, { deflateRawSync } from "node:zlib";
import { ProtocolError } from "../../src/errors.ts";
import { Deflater } from "../../src/protocol/deflater.ts";
import { MessageMemory } from "../../src/protocol/message_memory.ts";
import { Inflater, WINDOW_SCRATCH_SIZE } from "../../src/protocol/inflater.ts";
import type { Zlib } from "../../src/protocol/zlib.ts";
import { count } from "../support/counting.ts";
import { deflate } from "./deflate_cases.ts";
import { bytes, hex } from "./hixie_cases.ts";
import { dice } from "./hixie_receive.ts";

const LIMIT = 1 << 24;
const HELLO = bytes("Hello");
/** "Hello" in a final block (BFINAL set), with the byte before the tail. */
const LAST_HELLO = hex("F3 48 CD C9 C9 07 00");
/** The letter H, then the last four of the five bytes before. */
const AGAIN = hex("F2 00 11 00 00");
/** The letter a in a final block. */
const LAST_A = hex("4B 04 00");

/** Memory that all inflaters share, as in connections. */
const scratch = new Uint8Array(65_535);
const windowScratch = new Uint8Array(WINDOW_SCRATCH_SIZE);
/** Shorter than some messages, so that both ways to give the tail are used. */
const inputScratch = new Uint8Array(16);

function make(keepsWindow = false, windowBits = 15): Inflater {
  return new Inflater({
    zlib: zlib as unknown as Zlib,
    windowBits,
    keepsWindow,
    scratch,
    windowScratch,
    inputScratch,
  });
}

/** A block that copies 258 bytes from `distance` back. Not a final block (RFC 1951 §3.2.5, §3.2.6). */
function farCopy(distance: number): Uint8Array {
  // Distance code 29 begins at 24577 and has 13 extra bits, code 17 begins at 385 and has 7.
  const [code, first, extraBits] = distance < 24577 ? [17, 385, 7] : [29, 24577, 13];
  const extra = (distance - first).toString(2).padStart(extraBits, "0");
  const reversed = Array.from(extra).reverse().join("");
  // Fixed Huffman codes: length code 285, the distance, the end of the block. Then the header of a
  // stored block.
  const bits = `010${"11000101"}${code.toString(2)}${reversed}${"0000000"}${"000"}`;
  const octets = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0").match(/.{8}/g) ?? [];
  return Uint8Array.from(octets, (octet) => parseInt(Array.from(octet).reverse().join(""), 2));
}

function repeated(part: Uint8Array, count: number): Uint8Array {
  return Uint8Array.from({ length: part.length * count }, (_, i) => part[i % part.length] ?? 0);
}

/** The length of a stored block and its complement (RFC 1951 §3.2.4). */
function storedLength(size: number): string {
  const octets = [size, size >> 8, ~size, ~size >> 8];
  return octets.map((octet) => (octet & 0xff).toString(16).padStart(2, "0")).join(" ");
}

function codeOf(error: Error): number | undefined {
  return error instanceof ProtocolError ? error.code : undefined;
}

function noise(size: number): Uint8Array {
  const random = dice(size);
  return Uint8Array.from({ length: size }, () => random(256));
}

describe("a message that does not build on others", () => {
  test("is inflated whatever its blocks are", () => {
    const messages: [payload: Uint8Array, message: Uint8Array][] = [
      [hex("F2 48 CD C9 C9 07 00"), HELLO],
      [hex("00 05 00 FA FF 48 65 6C 6C 6F 00"), HELLO],
      [hex("F2 48 05 00 00 00 FF FF CA C9 C9 07 00"), HELLO],
      [hex("00"), bytes()],
      [bytes(LAST_HELLO, hex("00")), HELLO],
      [LAST_HELLO, HELLO],
      [hex("01"), bytes()],
      [bytes(LAST_HELLO, AGAIN), bytes(HELLO, HELLO)],
      [bytes(LAST_HELLO, LAST_HELLO, AGAIN), bytes(HELLO, HELLO, HELLO)],
    ];
    const inflater = make();
    for (const [payload, message] of [...messages, ...messages]) {
      assertEquals(inflater.inflate(payload, LIMIT), message);
    }
  });

  test("is inflated if it fits the buffer for the tail, and if it does not", () => {
    const inflater = make();
    for (let size = 0; size <= 2 * inputScratch.length; size++) {
      const message = noise(size);
      const stored = bytes(hex("00"), hex(storedLength(size)), message);
      assertEquals(inflater.inflate(bytes(stored, hex("00")), LIMIT), message);
      assertEquals(inflater.inflate(bytes("\x01", stored.subarray(1)), LIMIT), message);
    }
  });

  test("does not use the window of the one before", () => {
    const inflater = make();
    inflater.inflate(bytes(LAST_HELLO, LAST_HELLO), LIMIT);
    assertEquals(codeOf(assertThrows(() => inflater.inflate(AGAIN, LIMIT))), 1007);
    const beyond = bytes(LAST_A, AGAIN);
    assertEquals(codeOf(assertThrows(() => inflater.inflate(beyond, LIMIT))), 1007);
    inflater.inflate(deflate("Hello"), LIMIT);
    assertEquals(codeOf(assertThrows(() => inflater.inflate(AGAIN, LIMIT))), 1007);
  });

  test("is refused if it is not DEFLATE, and the next one is inflated", () => {
    const inflater = make();
    for (
      const payload of [hex("FF"), hex("F2 48 FF FF FF FF FF"), bytes(LAST_HELLO, hex("FF"))]
    ) {
      assertEquals(codeOf(assertThrows(() => inflater.inflate(payload, LIMIT))), 1007);
      assertEquals(inflater.inflate(deflate("next"), LIMIT), bytes("next"));
    }
  });

  test("may be as long as the limit, but not longer", () => {
    const inflater = make();
    for (const size of [0, 1, 2, 1000, 65534, 65535, 65536, 65537, 131072, 200_000]) {
      for (const message of [new Uint8Array(size), noise(size)]) {
        const payload = deflate(message);
        assertEquals(inflater.inflate(payload, size), message);
        if (size === 0) continue;
        const tooLong = assertThrows(() => inflater.inflate(payload, size - 1));
        assertEquals(codeOf(tooLong), 1009, `${size} bytes`);
      }
    }
  });

  test("is not inflated further than one byte beyond the limit", () => {
    const payload = deflate(new Uint8Array(60_000));
    for (const limit of [1, 10, 1000, 59_998]) {
      scratch.fill(0xaa);
      const tooLong = assertThrows(() => make().inflate(payload, limit));
      assertEquals(codeOf(tooLong), 1009);
      assertEquals(scratch.indexOf(0xaa), limit + 1);
    }
  });

  // A final block takes 3 bytes, or 2 if it is empty. One more is allowed for each 1024 bytes.
  for (const [filler, most] of [[0, 32], [918, 32], [919, 33], [1000, 33], [5100, 37]] as const) {
    test(`may have ${most} last blocks beside ${filler} bytes, but not more`, () => {
      const inflater = make();
      const stored = bytes(hex("00"), hex(storedLength(filler)), new Uint8Array(filler));
      const payload = (count: number) => bytes(repeated(LAST_A, count), stored, hex("00"));
      const message = bytes("a".repeat(most), new Uint8Array(filler));
      assertEquals(inflater.inflate(payload(most), LIMIT), message);
      const tooMany = assertThrows(() => inflater.inflate(payload(most + 1), LIMIT));
      assertEquals(codeOf(tooMany), 1009);
      assertEquals(
        (tooMany as Error).message,
        "a message must not have more than 32 last blocks, and one for each 1024 bytes (RFC 6455 §7.4.1)",
      );
      assertEquals(inflater.inflate(payload(most), LIMIT), message);
    });
  }

  // The 33rd final block ends after 1023 or 1024 bytes.
  for (const [filler, code] of [[919, 1009], [920, undefined]] as const) {
    test(`may have 33 last blocks after ${filler} bytes, in steps: ${code ?? "yes"}`, () => {
      const inflater = make();
      const stored = bytes(hex("00"), hex(storedLength(filler)), new Uint8Array(filler));
      const payload = bytes(stored, repeated(LAST_A, 33), hex("00"));
      const room = new Uint8Array(2000);
      inflater.begin();
      const read = () => {
        let at = 0;
        do {
          inflater.step(payload, at, room);
          at = payload.length - inflater.rest;
        } while (inflater.rest > 0);
      };
      if (code === undefined) read();
      else assertEquals(codeOf(assertThrows(read)), code);
    });
  }

  test("may not consist of last blocks", () => {
    const inflater = make();
    assertEquals(
      codeOf(assertThrows(() => inflater.inflate(repeated(hex("03 00"), 1 << 20), LIMIT))),
      1009,
    );
  });

  test("has a window of 32 KiB after a last block, at any offset", () => {
    const inflater = make();
    for (const size of [32_768, 32_769, 40_000, 65_535, 65_536, 100_000]) {
      const before = noise(size);
      const payload = bytes(deflateRawSync(before), farCopy(32_768));
      const copied = before.slice(size - 32_768, size - 32_768 + 258);
      assertEquals(inflater.inflate(payload, LIMIT), bytes(before, copied), `${size} bytes`);
    }
  });

  test("may be cut into blocks anywhere", () => {
    const inflater = make();
    const random = dice(1951);
    for (let i = 0; i < 200; i++) {
      const message = noise(random(3000)).map((byte) => byte % 5);
      const cuts = Array.from({ length: random(6) }, () => random(message.length + 1));
      const ends = [...cuts.sort((a, b) => a - b), message.length];
      const blocks = ends.map((end, index) => {
        const part = message.subarray(ends[index - 1] ?? 0, end);
        return random(2) === 0 ? deflateRawSync(part) : deflateRawSync(part, { finishFlush: 2 });
      });
      assertEquals(inflater.inflate(bytes(...blocks, hex("00")), LIMIT), message);
    }
  });

  test("belongs to the receiver", () => {
    const inflater = make();
    const first = inflater.inflate(deflate("first"), LIMIT);
    inflater.inflate(deflate("other"), LIMIT);
    assertEquals(first, bytes("first"));
    assertEquals(first.buffer.byteLength, 5);
  });

  test("takes the memory that it is given", () => {
    const memory = new MessageMemory(true);
    const message = make().inflate(deflate("first"), LIMIT, memory);
    assertEquals(message, bytes("first"));
    memory.give(message);
    assertEquals(new Set(message).size, 1); // the memory has been filled
  });

  test("takes no more memory than the limit, even if it is longer", () => {
    const inflater = make();
    const payload = deflate(new Uint8Array(100_000));
    assertThrows(() => inflater.inflate(payload, 1)); // makes the window
    const { buffers } = count(() => assertThrows(() => inflater.inflate(payload, 70_000)));
    assertEquals(buffers.filter((size) => size > 1000), [70_001 - scratch.length]);
  });
});

describe("messages that build on those before", () => {
  test("continue after any end of a message", () => {
    const ends = [LAST_HELLO, bytes(LAST_HELLO, hex("00")), bytes(LAST_HELLO, hex("01"))];
    for (const end of [...ends, hex("F2 48 CD C9 C9 07 00")]) {
      const inflater = make(true);
      assertEquals(inflater.inflate(end, LIMIT), HELLO);
      assertEquals(inflater.inflate(AGAIN, LIMIT), HELLO);
      assertEquals(inflater.inflate(bytes(LAST_HELLO, AGAIN), LIMIT), bytes(HELLO, HELLO));
      assertEquals(inflater.inflate(AGAIN, LIMIT), HELLO);
      inflater.free();
    }
  });

  test("have a window of 32 KiB, also after last blocks", () => {
    const inflater = make(true);
    let sent = bytes();
    for (const size of [10_000, 30_000, 5000, 32_768, 1, 70_000]) {
      const part = noise(size);
      const payload = size % 20_000 === 0 ? deflate(part) : deflateRawSync(part);
      assertEquals(inflater.inflate(payload, LIMIT), part);
      sent = bytes(sent, part);
      if (sent.length < 32_768) continue;
      const copied = sent.slice(sent.length - 32_768, sent.length - 32_768 + 258);
      assertEquals(inflater.inflate(farCopy(32_768), LIMIT), copied);
      sent = bytes(sent, copied);
    }
    inflater.free();
  });

  test("have a window that has gone around its memory", () => {
    const inflater = make(true);
    const sent = [1, 2, 3].map((round) => noise(20_000 + round));
    for (const part of sent) assertEquals(inflater.inflate(deflateRawSync(part), LIMIT), part);
    for (const distance of [24_577, 27_000, 30_000, 32_768]) {
      const all = bytes(...sent);
      const copied = all.slice(all.length - distance, all.length - distance + 258);
      assertEquals(inflater.inflate(farCopy(distance), LIMIT), copied, `${distance}`);
      sent.push(copied);
    }
    inflater.free();
  });

  test("may each end with a last block, without new memory but the message's", () => {
    const inflater = make(true);
    inflater.inflate(deflate(noise(40_000)), LIMIT);
    // A final block at the end of a message does not count for the next message.
    const most = bytes(repeated(LAST_A, 32), hex("01"));
    for (let i = 0; i < 100; i++) {
      const { buffers } = count(() => assertEquals(inflater.inflate(most, LIMIT).length, 32));
      assert(Math.max(...buffers) < 1000, `${buffers}`);
    }
    inflater.free();
  });

  for (const windowBits of [8, 9, 12, 15]) {
    test(`may have a window of ${windowBits} bits, also after last blocks`, () => {
      const inflater = make(true, windowBits);
      // zlib has no window of 8 bits.
      const distance = 2 ** Math.max(9, windowBits);
      const deflater = new Deflater({
        zlib: zlib as unknown as Zlib,
        options: { windowBits: Math.max(9, windowBits) },
        keepsWindow: true,
        scratch: new Uint8Array(65_535),
      });
      const part = noise(distance - 300);
      let isSmaller = 0;
      for (let i = 0; i < 5; i++) {
        const payload = deflater.deflate(part).slice(0, -4);
        isSmaller += payload.length < part.length / 2 ? 1 : 0;
        assertEquals(inflater.inflate(payload, LIMIT), part);
        // An empty last block.
        assertEquals(inflater.inflate(hex("03 00"), LIMIT), bytes());
      }
      assertEquals(isSmaller > 0, true);
      deflater.free();
      inflater.free();
    });
  }

  test("may build on 512 bytes with a window of 8 bits, since zlib has none of 256", () => {
    const inflater = make(true, 8);
    const part = noise(512);
    assertEquals(inflater.inflate(deflateRawSync(part), LIMIT), part);
    assertEquals(inflater.inflate(farCopy(512), LIMIT), part.slice(0, 258));
    inflater.free();
  });

  test("are refused if they build on more than the window", () => {
    const deflater = new Deflater({
      zlib: zlib as unknown as Zlib,
      options: { windowBits: 15 },
      keepsWindow: true,
      scratch: new Uint8Array(65_535),
    });
    for (const size of [600, 2000]) {
      const inflater = make(true, 9);
      const part = noise(size);
      assertEquals(inflater.inflate(deflater.deflate(part).slice(0, -4), LIMIT), part);
      const again = deflater.deflate(part).slice(0, -4);
      assertEquals(codeOf(assertThrows(() => inflater.inflate(again, LIMIT))), 1007);
      inflater.free();
    }
    deflater.free();
  });

  test("do not affect those of other connections", () => {
    const [one, other] = [make(true), make(true)];
    one.inflate(deflate("Hello"), LIMIT);
    other.inflate(deflate("Ahoj!"), LIMIT);
    make().inflate(deflate("Salut"), LIMIT);
    assertEquals(one.inflate(AGAIN, LIMIT), HELLO);
    assertEquals(other.inflate(AGAIN, LIMIT), bytes("Hhoj!"));
    for (const inflater of [one, other]) inflater.free();
  });
});
