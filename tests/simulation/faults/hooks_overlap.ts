import type { Fault } from "../fault.ts";

/** A second hook begins while the promise of the first is pending. */
export const fault: Fault = {
  file: "src/server/dispatcher.ts",
  find: `return this.#pending > 0 && !this.#isFeeding;`,
  replace: `return this.#pending > 1 && !this.#isFeeding;`,
};
