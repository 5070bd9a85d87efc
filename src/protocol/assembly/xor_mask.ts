/**
 * The masking of RFC 6455 §5.3 in AssemblyScript: two pages of memory, all of it for the payload.
 * `deno task build:wasm` compiles it into `../mask_wasm.ts`.
 */

/**
 * XORs `size` bytes of the memory from `at` on with a masking key whose first byte is the lowest.
 *
 * @returns 0x80 or more if one of the resulting bytes is, else less.
 */
export function mask(at: u32, size: u32, maskingKey: u32): u32 {
  const key = i32x4.splat(maskingKey);
  let seenA = i32x4.splat(0);
  let seenB = seenA;
  let seenC = seenA;
  let seenD = seenA;
  const end = at + size;
  for (const last = at + (size & ~63); at < last; at += 64) {
    const a = v128.xor(v128.load(at), key);
    const b = v128.xor(v128.load(at, 16), key);
    const c = v128.xor(v128.load(at, 32), key);
    const d = v128.xor(v128.load(at, 48), key);
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
    seenA = v128.or(seenA, a);
    seenB = v128.or(seenB, b);
    seenC = v128.or(seenC, c);
    seenD = v128.or(seenD, d);
  }
  for (const last = end - 15; at < last; at += 16) {
    const a = v128.xor(v128.load(at), key);
    v128.store(at, a);
    seenA = v128.or(seenA, a);
  }
  const seen = v128.or(v128.or(seenA, seenB), v128.or(seenC, seenD));
  let any: u32 = u32(i8x16.bitmask(seen) !== 0) << 7;
  for (let shift: u32 = 0; at < end; at++, shift += 8) {
    const byte = load<u8>(at) ^ u8(maskingKey >> shift);
    store<u8>(at, byte);
    any |= byte;
  }
  return any;
}
