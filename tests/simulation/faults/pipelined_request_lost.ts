import type { Fault } from "../fault.ts";

/** A request that arrives before the response to the one before is lost. */
export const fault: Fault = {
  file: "src/server/http_connection.ts",
  find: `    if (held.length > 0) corked(() => this.#readNext(held));`,
  replace: `    if (held.length > 1000) corked(() => this.#readNext(held));`,
};
