import type { Fault } from "../fault.ts";

/** The FIN of a paused socket is lost. */
export const fault: Fault = {
  file: "src/transport/node_socket.ts",
  find: `    else this.#endIsHeld = true;`,
  replace: ``,
};
