import type { Fault } from "../fault.ts";

/** A handler that never settles keeps the shutdown waiting. */
export const fault: Fault = {
  file: "src/server/connection_group.ts",
  find: `      for (const connection of this.#connections.all()) connection.terminate();
    }, timeout);`,
  replace: `    }, timeout);`,
};
