import type { Fault } from "../fault.ts";

/** A client that sends no key3 is kept. */
export const fault: Fault = {
  file: "src/server/opening.ts",
  find: `      this.#drop("timeout");
`,
  replace: ``,
};
