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

/** How many bytes arrive one by one before chunks grow. */
const SINGLE_BYTES = 600;

/** Splits what is available, in both directions. */
export function splitter(
  split: PlannedClient["split"],
  seed: number,
): (available: number) => number {
  const next = dice(seed);
  let chunks = 0;
  if (split === "whole") return (available) => available;
  if (split === "random") return () => 1 + next(2000);
  return () => ++chunks <= SINGLE_BYTES ? 1 : 1 + next(1000);
}
