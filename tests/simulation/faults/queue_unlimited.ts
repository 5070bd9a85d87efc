import type { Fault } from "../fault.ts";

/** Reading never stops for a busy handler. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `      this.#transport.pause();
`,
  replace: ``,
};
