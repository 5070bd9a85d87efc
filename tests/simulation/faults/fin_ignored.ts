import type { Fault } from "../fault.ts";

/** A client that sends FIN is not noticed. */
export const fault: Fault = {
  file: "src/connection/connection.ts",
  find: `    this.#peer = "ended";
    this.#receiver.resume();`,
  replace: `    this.#receiver.resume();`,
};
