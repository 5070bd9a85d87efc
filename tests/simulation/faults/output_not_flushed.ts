import type { Fault } from "../fault.ts";

/** What is written while a chunk is read is not sent. */
export const fault: Fault = {
  file: "src/connection/cork.ts",
  find: `  if (--state.depth === 0 && state.waitingCount !== 0) flushAll();`,
  replace: `  if (--state.depth === 0 && state.waitingCount > 1) flushAll();`,
};
