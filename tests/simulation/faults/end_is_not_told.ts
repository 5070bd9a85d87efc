import type { Fault } from "../fault.ts";

/** The promise of closed does not settle. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    this.#lifetime?.end(end);
    if (!this.#owesClose) return;`,
  replace: `    if (!this.#owesClose) return;`,
};
