import type { Fault } from "../fault.ts";

/** A handler that never settles keeps a closed connection. */
export const fault: Fault = {
  file: "src/connection/connection.ts",
  find: `    if (this.#peerEnded || isAnswered) this.#setCloseTimer();`,
  replace: `    if (this.#peerEnded && isAnswered) this.#setCloseTimer();`,
};
