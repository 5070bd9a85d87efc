import type { Fault } from "../fault.ts";

/** A chunk overtakes those that a paused socket has held. */
export const fault: Fault = {
  file: "src/transport/node_socket.ts",
  find: `    if (!this.#paused && this.#held === null) {
`,
  replace: `    if (!this.#paused) {
`,
};
