import type { Fault } from "../fault.ts";

/** The promise of a slow write does not settle when output drains. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `    stall?.waiter?.resolve();
`,
  replace: ``,
};
