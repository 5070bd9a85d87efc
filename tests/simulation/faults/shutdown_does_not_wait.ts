import type { Fault } from "../fault.ts";

/** A shutdown forgets one connection. */
export const fault: Fault = {
  file: "src/server/connection_group.ts",
  find:
    `      for (const connection of this.#connections.all()) connection.shutdown(code, reason);`,
  replace:
    `      for (const connection of this.#connections.all().slice(1)) connection.shutdown(code, reason);`,
};
