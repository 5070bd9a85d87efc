import type { Fault } from "../fault.ts";

/** A closed socket is still counted. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    this.#gone = true;
    this.context.forget(this);`,
  replace: `    this.#gone = true;`,
};
