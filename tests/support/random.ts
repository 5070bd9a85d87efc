/**
 * Random numbers from the seed of a test run, which the runner prints and `--seed` sets.
 *
 * @module
 */
import process from "node:process";

/** The environment variable that has the seed. */
export const SEED_VARIABLE = "WATERSPOUT_TEST_SEED";

/** The seed of this run. Default: 1, when a test file runs without the runner. */
export const seed: number = Number(process.env[SEED_VARIABLE] ?? 1);

/** A new seed, for a run without `--seed`. */
export function randomSeed(): number {
  const [drawn = 1] = crypto.getRandomValues(new Uint32Array(1));
  return drawn;
}

/** Numbers from 0 to below 1, the same for the same seed and name (mulberry32). */
export function randomFor(name: string): () => number {
  let state = seed >>> 0;
  for (let i = 0; i < name.length; i++) state = Math.imul(state ^ name.charCodeAt(i), 0x0100_0193);
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** An integer from 0 to below `limit`. */
export function randomInteger(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

/** Bytes of any value. */
export function randomBytes(random: () => number, length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => randomInteger(random, 256));
}

const getRandomValues = crypto.getRandomValues;

/**
 * Makes `Math.random` and `crypto.getRandomValues` of this process follow the seed, so that a run can
 * be repeated. Tests must not call `crypto.randomUUID` or the random functions of `node:crypto`: these
 * do not follow the seed.
 */
export function seedGlobals(name: string): void {
  const random = randomFor(name);
  Math.random = random;
  crypto.getRandomValues = (array) => {
    // Throws like the original for more than 65,536 bytes, or for a view that is not of integers.
    if (!isIntegerView(array) || array.byteLength > 65_536) {
      return getRandomValues.call(crypto, array) as typeof array;
    }
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = randomInteger(random, 256);
    return array;
  };
}

function isIntegerView(array: unknown): array is Uint8Array {
  return ArrayBuffer.isView(array) && !(array instanceof DataView) &&
    !(array instanceof Float32Array) && !(array instanceof Float64Array);
}
