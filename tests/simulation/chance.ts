/**
 * What a world draws from its seed while it runs.
 *
 * @module
 */
import { dice } from "../fuzz/mutate.ts";
import type { PlannedClient } from "./plan.ts";

/** Makes a `crypto.getRandomValues` that follows a seed: clients draw keys of random lengths. */
export function randomValues(seed: number): typeof crypto.getRandomValues {
  const next = dice(seed);
  return (array) => {
    if (!ArrayBuffer.isView(array)) return array;
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let at = 0; at < bytes.length; at++) bytes[at] = next(256);
    return array;
  };
}

/** How many bytes of a connection arrive one by one. */
const SINGLE_BYTES = 300;

/** The largest chunk of a network that divides, in bytes. */
export const LARGEST_CHUNK = 4000;

/** Splits what is available, in both directions. */
export function splitter(
  split: PlannedClient["split"],
  seed: number,
): (available: number) => number {
  const next = dice(seed);
  if (typeof split === "number") return () => split;
  if (split === "whole") return (available) => available;
  const chunk = () => 1 + next(next(3) === 0 ? 100 : LARGEST_CHUNK);
  if (split === "random") return chunk;
  let left = SINGLE_BYTES;
  // A long run divides a whole handshake. Between short ones, messages of any number are divided.
  const runLength = () => next(next(2) === 0 ? 10 : SINGLE_BYTES);
  let run = runLength();
  return () => {
    if (left > 0 && run > 0) {
      left--;
      run--;
      return 1;
    }
    run = runLength();
    return chunk();
  };
}
