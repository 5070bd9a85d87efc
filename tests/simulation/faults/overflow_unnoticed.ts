import type { Fault } from "../fault.ts";

/** More than maxBufferedAmount may wait. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `sizeOf(payload) <= maxBufferedAmount - waiting) return true;`,
  replace: `sizeOf(payload) <= 2 * maxBufferedAmount) return true;`,
};
