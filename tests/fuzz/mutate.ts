/**
 * Seeded traffic: valid bytes, mutations of them, and ways to split them.
 *
 * @module
 */

/** Returns a number from 0 to below `limit`. The same seed gives the same numbers. */
export type Dice = (limit: number) => number;

/** A random generator with a seed (mulberry32). */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (limit) => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return Math.floor((mixed ^ mixed >>> 14) / 2 ** 32 * limit + limit) % limit;
  };
}

/** Random bytes. */
export function randomBytes(next: Dice, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => next(256));
}

/** Random characters of one to four bytes, sometimes repeated. */
export function randomText(next: Dice, length: number): string {
  const alphabets = ["ab ", "aé", "日本語", "👋a", "\u0000\u007f\u0080\uffff"];
  const alphabet = [...(alphabets[next(alphabets.length)] ?? "a")];
  return Array.from({ length }, () => alphabet[next(alphabet.length)]).join("");
}

/** A random length: mostly short, sometimes at a boundary of the length encodings, rarely long. */
export function randomLength(next: Dice): number {
  const kind = next(60);
  if (kind < 40) return next(40);
  if (kind < 52) return 120 + next(12);
  return kind < 59 ? next(3000) : 65530 + next(12);
}

/** Changes, doubles, removes or inserts a few bytes. */
export function mutate(next: Dice, good: Uint8Array): Uint8Array {
  const bytes = [...good];
  for (let changes = next(3); changes >= 0 && bytes.length > 0; changes--) {
    // Half of the mutations are near the start, where the headers are.
    const at = next(2) === 0 ? next(Math.min(bytes.length, 16)) : next(bytes.length);
    const length = next(4) === 0 ? next(20) : 1;
    const put = [
      () => [(bytes[at] ?? 0) ^ 1 << next(8)],
      () => [...randomBytes(next, length)],
      () => bytes.slice(at, at + length),
      () => [],
      () => [[0x00], [0xff], [0x80], [0x7f], [0x0d, 0x0a]][next(5)] ?? [],
    ][next(5)]?.() ?? [];
    bytes.splice(at, next(2) === 0 ? Math.max(1, length) : 0, ...put);
  }
  return Uint8Array.from(bytes);
}

/** Splits bytes into pieces: single bytes, short ones, long ones, or one piece. */
export function cut(next: Dice, bytes: Uint8Array): Uint8Array[] {
  const shortest = bytes.length > 10_000 ? 500 : 1;
  const longest = shortest * ([1, 4, 50, 2000, bytes.length + 1][next(5)] ?? 1);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + next(longest);
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return pieces;
}

/** Joins bytes. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
