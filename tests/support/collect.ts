/**
 * Garbage collection on demand, for tests that check how much memory is kept.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BUN_PURGE_VARIABLE } from "../runner/batch_events.ts";

/**
 * The environment variables of a script whose memory is measured. Deno needs its variable for
 * {@linkcode collectGarbage}. Bun returns unused memory to the system, as it does by default.
 */
export const COLLECTABLE: Readonly<Record<string, string | undefined>> = {
  DENO_V8_FLAGS: "--expose-gc",
  [BUN_PURGE_VARIABLE]: undefined,
};

let collect: (() => void) | undefined;

/** Collects all garbage of this process. @throws {TypeError} If the runtime does not allow this. */
export function collectGarbage(): void {
  collect ??= findCollector();
  collect();
}

function findCollector(): () => void {
  const { gc, Bun } = globalThis as {
    gc?: () => void;
    Bun?: { gc(synchronously: boolean): void };
  };
  if (Bun !== undefined) return () => Bun.gc(true);
  if (gc !== undefined) return gc;
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
