import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import {
  fitsScratch,
  instantiate,
  mask,
  maskInto,
  rotate,
  scratch,
} from "../../src/protocol/mask.ts";
import { count } from "../support/counting.ts";
import { dice } from "./hixie_receive.ts";

/** RFC 6455 §5.3: octet i of the transformed data is octet i of the original XOR octet i MOD 4. */
function transform(original: Uint8Array, maskingKey: Uint8Array): Uint8Array {
  return original.map((octet, i) => octet ^ (maskingKey[i % 4] as number));
}

const KEY = Uint8Array.of(0x9a, 0x01, 0x7f, 0xc3);
/** The same key as a number: its lowest byte is the first. */
const NUMBER = 0xc37f019a | 0;

const SIZES = [
  ...Array.from({ length: 150 }, (_, size) => size),
  ...[1000, 1023, 1024, 1025, 1087, 1088, 1089, 4096, 65535, 65536, 126975, 126976, 126977, 300001],
];

/** Bytes with a part of `size` bytes that begins at `offset` and ends 8 bytes before the end. */
function surrounded(size: number, offset: number): { whole: Uint8Array; part: Uint8Array } {
  const roll = dice(size * 8 + offset);
  const whole = Uint8Array.from({ length: offset + size + 8 }, () => roll(256));
  return { whole, part: whole.slice(offset, offset + size) };
}

describe("mask", () => {
  test("transforms bytes of every size at every offset, and nothing around them", () => {
    for (const size of SIZES) {
      for (let offset = 0; offset < (size < 150 ? 8 : 2); offset++) {
        const { whole, part } = surrounded(size, offset);
        const expected = whole.slice();
        expected.set(transform(part, KEY), offset);
        mask(whole, offset, offset + size, NUMBER);
        assertEquals(whole, expected, `${size} bytes at ${offset}`);
      }
    }
  });

  test("works on views that do not begin where their buffer does", () => {
    for (let shift = 0; shift < 8; shift++) {
      const buffer = new Uint8Array(5000).fill(0x55);
      const view = buffer.subarray(shift, shift + 4000);
      mask(view, 3, 3903, NUMBER);
      const expected = new Uint8Array(5000).fill(0x55);
      expected.set(transform(new Uint8Array(3900).fill(0x55), KEY), shift + 3);
      assertEquals(buffer, expected, `shifted by ${shift}`);
    }
  });

  test("undoes itself", () => {
    const { whole } = surrounded(2000, 0);
    const before = whole.slice();
    mask(whole, 1, 1999, NUMBER);
    mask(whole, 1, 1999, NUMBER);
    assertEquals(whole, before);
  });

  test("tells whether all bytes are ASCII, wherever another one is", () => {
    for (const size of SIZES) {
      const original = new Uint8Array(size).fill(0x7f);
      assertEquals(mask(transform(original, KEY), 0, size, NUMBER) < 0x80, true, `${size}`);
      const places = size < 150
        ? Array.from({ length: size }, (_, i) => i)
        : [0, size >> 1, size - 1];
      for (const place of places) {
        const masked = transform(original.with(place, 0x80), KEY);
        assertEquals(mask(masked, 0, size, NUMBER) < 0x80, false, `${place} of ${size}`);
      }
    }
  });
});

describe("maskInto", () => {
  test("copies bytes of every size from every offset, and nothing around them", () => {
    for (const size of SIZES) {
      for (let offset = 0; offset < (size < 150 ? 8 : 2); offset++) {
        const { whole, part } = surrounded(size, offset);
        const target = new Uint8Array(size + 5).fill(0xee);
        const expected = target.slice();
        expected.set(transform(part, KEY), 3);
        maskInto(target, 3, whole, offset, offset + size, NUMBER);
        assertEquals(target, expected, `${size} bytes from ${offset}`);
      }
    }
  });

  test("tells whether all bytes are ASCII", () => {
    for (const size of SIZES) {
      const original = new Uint8Array(size).fill(0x7f);
      const target = new Uint8Array(size);
      assertEquals(maskInto(target, 0, transform(original, KEY), 0, size, NUMBER) < 0x80, true);
      if (size === 0) continue;
      const masked = transform(original.with(size - 1, 0xff), KEY);
      assertEquals(maskInto(target, 0, masked, 0, size, NUMBER) < 0x80, false, `${size}`);
    }
  });

  test("masks into the scratch memory", () => {
    for (const size of [1024, 5000, scratch.length]) {
      const { whole, part } = surrounded(size, 1);
      maskInto(scratch, 0, whole, 1, 1 + size, NUMBER);
      assertEquals(scratch.slice(0, size), transform(part, KEY));
    }
  });
});

describe("the quickest way for a size", () => {
  type Row = readonly [size: number, views: number, copies: readonly number[]];

  const masked: readonly Row[] = [[95, 0, []], [96, 1, []], [767, 1, []], [768, 2, [768, 768]]];
  for (const [size, ...expected] of masked) {
    test(`masks ${size} bytes with ${expected[0]} views`, () => {
      const bytes = new Uint8Array(1000);
      const { views, copies } = count(() => mask(bytes, 1, 1 + size, NUMBER));
      assertEquals([views, copies], expected);
    });
  }

  test("masks with the view that there is", () => {
    const bytes = new Uint8Array(1000);
    const view = new DataView(bytes.buffer);
    assertEquals(count(() => mask(bytes, 1, 768, NUMBER, view)).views, 0);
  });

  const copied: readonly Row[] = [
    [47, 0, []],
    [48, 1, [48]],
    [767, 2, [767]],
    [768, 2, [768, 768]],
  ];
  for (const [size, ...expected] of copied) {
    test(`copies ${size} bytes with ${expected[0]} views`, () => {
      const [from, to] = [new Uint8Array(1000), new Uint8Array(1000)];
      const counts = count(() => maskInto(to, 1, from, 1, 1 + size, NUMBER));
      assertEquals([counts.views, counts.copies], expected);
    });
  }

  test("fits the scratch memory from 768 bytes to its size", () => {
    const sizes = [767, 768, scratch.length, scratch.length + 1];
    assertEquals(sizes.map(fitsScratch), [false, true, true, false]);
  });
});

describe("rotate", () => {
  test("returns the key for the bytes that follow", () => {
    const data = Uint8Array.from({ length: 64 }, (_, i) => i);
    for (let cut = 0; cut <= 20; cut++) {
      const masked = data.slice();
      mask(masked, 0, cut, NUMBER);
      mask(masked, cut, 64, rotate(NUMBER, cut));
      assertEquals(masked, transform(data, KEY), `cut at ${cut}`);
    }
  });
});

describe("instantiate", () => {
  test("returns a function that masks its window", () => {
    const simd = instantiate();
    for (const size of [0, 1, 15, 16, 17, 63, 64, 65, 200, simd?.window.length ?? 0]) {
      simd?.window.fill(0x7f);
      const seen = simd?.mask(size, NUMBER);
      const expected = new Uint8Array(simd?.window.length ?? 0).fill(0x7f);
      expected.set(transform(expected.slice(0, size), KEY));
      assertEquals(simd?.window, expected, `${size}`);
      assertEquals(seen !== undefined && seen >= 0x80, size > 0, `${size}`);
    }
  });

  test("returns undefined if the module cannot be made", () => {
    assertStrictEquals(instantiate("AAAA"), undefined);
    assertStrictEquals(instantiate("no base64: ü"), undefined);
  });
});
