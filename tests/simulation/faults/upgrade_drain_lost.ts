import type { Fault } from "../fault.ts";

/** The output of a socket drains unnoticed. */
export const fault: Fault = {
  file: "src/transport/node_socket.ts",
  find: `    else if (this.#state === "open") this.#events.drain();
  }

  release`,
  replace: `  }

  release`,
};
