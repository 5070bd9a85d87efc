/**
 * Masking (RFC 6455 §5.3) in AssemblyScript. Two pages of memory hold the payload.
 * `deno task build:wasm` compiles this to `../xor_mask_wasm.ts`.
 */

/**
 * XORs `size` bytes of the memory from `at` on with a masking key, whose lowest byte is its first.
 *
 * @returns A number that is below 0x80 if and only if all resulting bytes are.
 */
export function mask(at: u32, size: u32, maskingKey: u32): u32 {
  const key = i32x4.splat(maskingKey);
  let orA = i32x4.splat(0);
  let orB = orA;
  let orC = orA;
  let orD = orA;
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
    orA = v128.or(orA, a);
    orB = v128.or(orB, b);
    orC = v128.or(orC, c);
    orD = v128.or(orD, d);
  }
  for (const last = end - 15; at < last; at += 16) {
    const a = v128.xor(v128.load(at), key);
    v128.store(at, a);
    orA = v128.or(orA, a);
  }
  const orOfVectors = v128.or(v128.or(orA, orB), v128.or(orC, orD));
  let orOfBytes: u32 = u32(i8x16.bitmask(orOfVectors) !== 0) << 7;
  for (let shift: u32 = 0; at < end; at++, shift += 8) {
    const byte = load<u8>(at) ^ u8(maskingKey >> shift);
    store<u8>(at, byte);
    orOfBytes |= byte;
  }
  return orOfBytes;
}
