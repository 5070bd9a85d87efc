import type { Fault } from "../fault.ts";

/** A client counts as dead when its answer is about to be read. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `    return isResumed ? "resumed" : "reading";`,
  replace: `    return isResumed ? "reading" : "reading";`,
};
