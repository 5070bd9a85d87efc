import type { Fault } from "../fault.ts";

/** A paused transport is never resumed. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `      this.#transport.resume();
`,
  replace: ``,
};
