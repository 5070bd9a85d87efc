import type { Fault } from "../fault.ts";

/** The promise of a slow write does not settle when the connection ends. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `    this.#stall?.waiter?.reject(this.closedError());
`,
  replace: ``,
};
