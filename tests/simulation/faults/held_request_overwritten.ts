import type { Fault } from "../fault.ts";

/** A request that waits lies in a chunk that was given back. */
export const fault: Fault = {
  file: "src/server/http_connection.ts",
  find: `    if (this.#state === "http") this.#hold(rest, owned);`,
  replace: `    if (this.#state === "http") this.#hold(rest, true);`,
};
