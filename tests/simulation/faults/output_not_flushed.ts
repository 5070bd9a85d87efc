import type { Fault } from "../fault.ts";

/** What is written while a chunk is read is not sent. */
export const fault: Fault = {
  file: "src/connection/cork.ts",
  find: `state.waitingCount !== 0 && state.patience === 0) flushAll();`,
  replace: `state.waitingCount > 1 && state.patience === 0) flushAll();`,
};
