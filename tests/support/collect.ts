/**
 * Garbage collection on demand, for tests that check how much memory is kept.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The environment variables that a script on Deno needs for {@linkcode collectGarbage}. */
export const COLLECTABLE: Readonly<Record<string, string>> = { DENO_V8_FLAGS: "--expose-gc" };

/** Collects all garbage of this process. @throws {TypeError} If the runtime does not allow this. */
export function collectGarbage(): void {
  const { gc, Bun } = globalThis as {
    gc?: () => void;
    Bun?: { gc(synchronously: boolean): void };
  };
  if (Bun !== undefined) Bun.gc(true);
  else if (gc !== undefined) gc();
  else {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
  }
}
