/**
 * MD5 (RFC 1321) and SHA-1 (FIPS 180-4) of the opening handshakes, in AssemblyScript: one page of
 * memory, no imports, no allocator. `deno task build:wasm` compiles this to `../md5_sha1_wasm.ts`.
 *
 * A challenge is one block. An accept key is two, of which the second is always the same.
 */

// The memory, by address. `../handshake_digests.ts` makes views of the exported parts.

/** The digest: four words of MD5 or five of SHA-1. The rest of the 32 bytes stays zero. */
export const DIGEST: usize = 0;
/** The accept key: 28 characters, and 4 that fill a vector. */
export const TEXT: usize = 32;
/** The message schedule of SHA-1: 80 words. */
const SCHEDULE: usize = 64;
/** The message schedule of the second block of an accept key. */
const TAIL_SCHEDULE: usize = 384;
/** The block of a challenge: two numbers, key3, and the padding. */
const CHALLENGE: usize = 704;
/** The first block of an accept key: 24 characters, 36 of GUID, and the padding. */
export const KEY: usize = 768;
/** The second block of an accept key: the padding. */
const TAIL: usize = 832;

@inline
function word(at: usize, index: usize): u32 {
  return load<u32>(at + (index << 2));
}

/** Sets the initial value. RFC 1321 §3.3 and FIPS 180-4 §5.3.1 have the same first four words. */
function begin(): void {
  store<u32>(DIGEST, 0x67452301, 0);
  store<u32>(DIGEST, 0xefcdab89, 4);
  store<u32>(DIGEST, 0x98badcfe, 8);
  store<u32>(DIGEST, 0x10325476, 12);
  store<u32>(DIGEST, 0xc3d2e1f0, 16);
}

// In MD5, each step needs the `b` of the step before. So F, G, H and I (RFC 1321 §3.4) are written to
// need few operations after `b` is known.

@inline
function FF(a: u32, b: u32, c: u32, d: u32, x: u32, s: u32, t: u32): u32 {
  return rotl<u32>(a + x + t + (d ^ (b & (c ^ d))), s) + b;
}

@inline
function GG(a: u32, b: u32, c: u32, d: u32, x: u32, s: u32, t: u32): u32 {
  return rotl<u32>(a + x + t + (c & ~d) + (b & d), s) + b;
}

@inline
function HH(a: u32, b: u32, c: u32, d: u32, x: u32, s: u32, t: u32): u32 {
  return rotl<u32>(a + x + t + (b ^ (c ^ d)), s) + b;
}

@inline
function II(a: u32, b: u32, c: u32, d: u32, x: u32, s: u32, t: u32): u32 {
  return rotl<u32>(a + x + t + (c ^ (b | ~d)), s) + b;
}

/** Adds a block to the digest (RFC 1321 §3.4). */
function md5(at: usize): void {
  const a0 = word(DIGEST, 0), b0 = word(DIGEST, 1), c0 = word(DIGEST, 2), d0 = word(DIGEST, 3);
  let a = a0, b = b0, c = c0, d = d0;

  // Round 1
  a = FF(a, b, c, d, word(at, 0), 7, 0xd76aa478);
  d = FF(d, a, b, c, word(at, 1), 12, 0xe8c7b756);
  c = FF(c, d, a, b, word(at, 2), 17, 0x242070db);
  b = FF(b, c, d, a, word(at, 3), 22, 0xc1bdceee);
  a = FF(a, b, c, d, word(at, 4), 7, 0xf57c0faf);
  d = FF(d, a, b, c, word(at, 5), 12, 0x4787c62a);
  c = FF(c, d, a, b, word(at, 6), 17, 0xa8304613);
  b = FF(b, c, d, a, word(at, 7), 22, 0xfd469501);
  a = FF(a, b, c, d, word(at, 8), 7, 0x698098d8);
  d = FF(d, a, b, c, word(at, 9), 12, 0x8b44f7af);
  c = FF(c, d, a, b, word(at, 10), 17, 0xffff5bb1);
  b = FF(b, c, d, a, word(at, 11), 22, 0x895cd7be);
  a = FF(a, b, c, d, word(at, 12), 7, 0x6b901122);
  d = FF(d, a, b, c, word(at, 13), 12, 0xfd987193);
  c = FF(c, d, a, b, word(at, 14), 17, 0xa679438e);
  b = FF(b, c, d, a, word(at, 15), 22, 0x49b40821);

  // Round 2
  a = GG(a, b, c, d, word(at, 1), 5, 0xf61e2562);
  d = GG(d, a, b, c, word(at, 6), 9, 0xc040b340);
  c = GG(c, d, a, b, word(at, 11), 14, 0x265e5a51);
  b = GG(b, c, d, a, word(at, 0), 20, 0xe9b6c7aa);
  a = GG(a, b, c, d, word(at, 5), 5, 0xd62f105d);
  d = GG(d, a, b, c, word(at, 10), 9, 0x02441453);
  c = GG(c, d, a, b, word(at, 15), 14, 0xd8a1e681);
  b = GG(b, c, d, a, word(at, 4), 20, 0xe7d3fbc8);
  a = GG(a, b, c, d, word(at, 9), 5, 0x21e1cde6);
  d = GG(d, a, b, c, word(at, 14), 9, 0xc33707d6);
  c = GG(c, d, a, b, word(at, 3), 14, 0xf4d50d87);
  b = GG(b, c, d, a, word(at, 8), 20, 0x455a14ed);
  a = GG(a, b, c, d, word(at, 13), 5, 0xa9e3e905);
  d = GG(d, a, b, c, word(at, 2), 9, 0xfcefa3f8);
  c = GG(c, d, a, b, word(at, 7), 14, 0x676f02d9);
  b = GG(b, c, d, a, word(at, 12), 20, 0x8d2a4c8a);

  // Round 3
  a = HH(a, b, c, d, word(at, 5), 4, 0xfffa3942);
  d = HH(d, a, b, c, word(at, 8), 11, 0x8771f681);
  c = HH(c, d, a, b, word(at, 11), 16, 0x6d9d6122);
  b = HH(b, c, d, a, word(at, 14), 23, 0xfde5380c);
  a = HH(a, b, c, d, word(at, 1), 4, 0xa4beea44);
  d = HH(d, a, b, c, word(at, 4), 11, 0x4bdecfa9);
  c = HH(c, d, a, b, word(at, 7), 16, 0xf6bb4b60);
  b = HH(b, c, d, a, word(at, 10), 23, 0xbebfbc70);
  a = HH(a, b, c, d, word(at, 13), 4, 0x289b7ec6);
  d = HH(d, a, b, c, word(at, 0), 11, 0xeaa127fa);
  c = HH(c, d, a, b, word(at, 3), 16, 0xd4ef3085);
  b = HH(b, c, d, a, word(at, 6), 23, 0x04881d05);
  a = HH(a, b, c, d, word(at, 9), 4, 0xd9d4d039);
  d = HH(d, a, b, c, word(at, 12), 11, 0xe6db99e5);
  c = HH(c, d, a, b, word(at, 15), 16, 0x1fa27cf8);
  b = HH(b, c, d, a, word(at, 2), 23, 0xc4ac5665);

  // Round 4
  a = II(a, b, c, d, word(at, 0), 6, 0xf4292244);
  d = II(d, a, b, c, word(at, 7), 10, 0x432aff97);
  c = II(c, d, a, b, word(at, 14), 15, 0xab9423a7);
  b = II(b, c, d, a, word(at, 5), 21, 0xfc93a039);
  a = II(a, b, c, d, word(at, 12), 6, 0x655b59c3);
  d = II(d, a, b, c, word(at, 3), 10, 0x8f0ccc92);
  c = II(c, d, a, b, word(at, 10), 15, 0xffeff47d);
  b = II(b, c, d, a, word(at, 1), 21, 0x85845dd1);
  a = II(a, b, c, d, word(at, 8), 6, 0x6fa87e4f);
  d = II(d, a, b, c, word(at, 15), 10, 0xfe2ce6e0);
  c = II(c, d, a, b, word(at, 6), 15, 0xa3014314);
  b = II(b, c, d, a, word(at, 13), 21, 0x4e0811a1);
  a = II(a, b, c, d, word(at, 4), 6, 0xf7537e82);
  d = II(d, a, b, c, word(at, 11), 10, 0xbd3af235);
  c = II(c, d, a, b, word(at, 2), 15, 0x2ad7d2bb);
  b = II(b, c, d, a, word(at, 9), 21, 0xeb86d391);

  store<u32>(DIGEST, a0 + a, 0);
  store<u32>(DIGEST, b0 + b, 4);
  store<u32>(DIGEST, c0 + c, 8);
  store<u32>(DIGEST, d0 + d, 12);
}

/** MD5 of two big-endian numbers and key3, which is given as two little-endian words. */
export function challenge(part1: u32, part2: u32, key3a: u32, key3b: u32): void {
  store<u32>(CHALLENGE, bswap<u32>(part1), 0);
  store<u32>(CHALLENGE, bswap<u32>(part2), 4);
  store<u32>(CHALLENGE, key3a, 8);
  store<u32>(CHALLENGE, key3b, 12);
  begin();
  md5(CHALLENGE);
}

@inline
function rotated(words: v128, bits: i32): v128 {
  return v128.or(i32x4.shl(words, bits), i32x4.shr_u(words, 32 - bits));
}

/** Makes the message schedule of a block (FIPS 180-4 §6.1.2 step 1), four words at a time. */
function schedule(block: usize): void {
  let w = SCHEDULE;
  let older = i32x4.splat(0), newer = older;
  for (; w < SCHEDULE + 64; w += 16, block += 16) {
    const bytes = v128.load(block);
    older = newer;
    newer = v128.shuffle<u8>(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    v128.store(w, newer);
  }
  for (; w < SCHEDULE + 128; w += 16) {
    // W[t] = (W[t-3] ^ W[t-8] ^ W[t-14] ^ W[t-16]) <<< 1. The W[t-3] of the fourth word is the first
    // word, which is not known yet. It is added in a second step.
    const oldest = v128.load(w - 64);
    const partial = rotated(
      v128.xor(
        v128.xor(oldest, v128.shuffle<u32>(oldest, v128.load(w - 48), 2, 3, 4, 5)),
        v128.xor(older, v128.shuffle<u32>(newer, i32x4.splat(0), 1, 2, 3, 4)),
      ),
      1,
    );
    older = newer;
    newer = v128.xor(
      partial,
      v128.shuffle<u32>(i32x4.splat(0), rotated(partial, 1), 0, 0, 0, 4),
    );
    v128.store(w, newer);
  }
  for (; w < SCHEDULE + 320; w += 16) {
    // W[t] = (W[t-6] ^ W[t-16] ^ W[t-28] ^ W[t-32]) <<< 2, which follows from the rule above.
    const next = rotated(
      v128.xor(
        v128.xor(v128.load(w - 128), v128.load(w - 112)),
        v128.xor(v128.load(w - 64), v128.shuffle<u32>(older, newer, 2, 3, 4, 5)),
      ),
      2,
    );
    older = newer;
    newer = next;
    v128.store(w, newer);
  }
}

@inline
function Ch(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

@inline
function Maj(x: u32, y: u32, z: u32): u32 {
  return (y & z) | (x & (y | z));
}

@inline
function Parity(x: u32, y: u32, z: u32): u32 {
  return x ^ (y ^ z);
}

/**
 * Adds the block with the schedule at `w` to the digest (FIPS 180-4 §6.1.2 steps 2 to 4). Five steps
 * are written out: after each, the variables change places, and no value has to move.
 */
function rounds(w: usize): void {
  let a = word(DIGEST, 0), b = word(DIGEST, 1), c = word(DIGEST, 2), d = word(DIGEST, 3);
  let e = word(DIGEST, 4);
  for (let half: u32 = 0; half < 2; ++half) {
    if (half == 0) {
      for (const end = w + 80; w < end; w += 20) {
        e = e + word(w, 0) + 0x5a827999 + Ch(b, c, d) + rotl<u32>(a, 5);
        b = rotl<u32>(b, 30);
        d = d + word(w, 1) + 0x5a827999 + Ch(a, b, c) + rotl<u32>(e, 5);
        a = rotl<u32>(a, 30);
        c = c + word(w, 2) + 0x5a827999 + Ch(e, a, b) + rotl<u32>(d, 5);
        e = rotl<u32>(e, 30);
        b = b + word(w, 3) + 0x5a827999 + Ch(d, e, a) + rotl<u32>(c, 5);
        d = rotl<u32>(d, 30);
        a = a + word(w, 4) + 0x5a827999 + Ch(c, d, e) + rotl<u32>(b, 5);
        c = rotl<u32>(c, 30);
      }
    } else {
      for (const end = w + 80; w < end; w += 20) {
        e = e + word(w, 0) + 0x8f1bbcdc + Maj(b, c, d) + rotl<u32>(a, 5);
        b = rotl<u32>(b, 30);
        d = d + word(w, 1) + 0x8f1bbcdc + Maj(a, b, c) + rotl<u32>(e, 5);
        a = rotl<u32>(a, 30);
        c = c + word(w, 2) + 0x8f1bbcdc + Maj(e, a, b) + rotl<u32>(d, 5);
        e = rotl<u32>(e, 30);
        b = b + word(w, 3) + 0x8f1bbcdc + Maj(d, e, a) + rotl<u32>(c, 5);
        d = rotl<u32>(d, 30);
        a = a + word(w, 4) + 0x8f1bbcdc + Maj(c, d, e) + rotl<u32>(b, 5);
        c = rotl<u32>(c, 30);
      }
    }
    const k: u32 = half == 0 ? 0x6ed9eba1 : 0xca62c1d6;
    for (const end = w + 80; w < end; w += 20) {
      e = e + word(w, 0) + k + Parity(b, c, d) + rotl<u32>(a, 5);
      b = rotl<u32>(b, 30);
      d = d + word(w, 1) + k + Parity(a, b, c) + rotl<u32>(e, 5);
      a = rotl<u32>(a, 30);
      c = c + word(w, 2) + k + Parity(e, a, b) + rotl<u32>(d, 5);
      e = rotl<u32>(e, 30);
      b = b + word(w, 3) + k + Parity(d, e, a) + rotl<u32>(c, 5);
      d = rotl<u32>(d, 30);
      a = a + word(w, 4) + k + Parity(c, d, e) + rotl<u32>(b, 5);
      c = rotl<u32>(c, 30);
    }
  }
  store<u32>(DIGEST, word(DIGEST, 0) + a, 0);
  store<u32>(DIGEST, word(DIGEST, 1) + b, 4);
  store<u32>(DIGEST, word(DIGEST, 2) + c, 8);
  store<u32>(DIGEST, word(DIGEST, 3) + d, 12);
  store<u32>(DIGEST, word(DIGEST, 4) + e, 16);
}

/** The accept key of the 24 characters at `KEY` (RFC 6455 §4.2.2 item 5.4). */
export function accept(): void {
  begin();
  schedule(KEY);
  rounds(SCHEDULE);
  rounds(TAIL_SCHEDULE);
  encode();
}

/** Encodes a SHA-1 digest as base64 (RFC 4648 §4), 12 bytes to 16 characters at a time. */
function encode(): void {
  for (let i: usize = 0; i < 2; ++i) {
    // The digest is five numbers, and base64 begins with the most significant byte of each. Three of
    // these bytes go to the top of a lane; the byte below them does not matter.
    const words = v128.load(DIGEST + i * 12);
    const groups = v128.shuffle<u8>(words, words, 0, 1, 2, 3, 0, 6, 7, 0, 0, 11, 4, 5, 0, 8, 9, 10);
    const sextets = v128.or(
      v128.or(i32x4.shr_u(groups, 26), v128.and(i32x4.shr_u(groups, 12), i32x4.splat(0x3f00))),
      v128.or(
        v128.and(i32x4.shl(groups, 2), i32x4.splat(0x3f0000)),
        v128.and(i32x4.shl(groups, 16), i32x4.splat(0x3f000000)),
      ),
    );
    // The kind of a sextet is 13 for A-Z, 0 for a-z, 1 to 10 for 0-9, 11 for + and 12 for /. It
    // selects the distance from the sextet to its character.
    const kind = v128.or(
      i8x16.sub_sat_u(sextets, i8x16.splat(51)),
      v128.and(i8x16.lt_s(sextets, i8x16.splat(26)), i8x16.splat(13)),
    );
    const distances = i8x16(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
    v128.store(TEXT + i * 16, i8x16.add(sextets, i8x16.swizzle(distances, kind)));
  }
  store<u8>(TEXT, 0x3d, 27);
}

// The padding of the blocks: one bit, zeros, and the length in bits.
store<u8>(CHALLENGE, 0x80, 16);
store<u8>(CHALLENGE, 16 * 8, 56);
store<u8>(KEY, 0x80, 60);
store<u16>(TAIL, bswap<u16>(60 * 8), 62);
schedule(TAIL);
memory.copy(TAIL_SCHEDULE, SCHEDULE, 320);
