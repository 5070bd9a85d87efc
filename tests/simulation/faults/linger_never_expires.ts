import type { Fault } from "../fault.ts";

/** A client that never sends FIN keeps its socket. */
export const fault: Fault = {
  file: "src/connection/linger.ts",
  find:
    `    if (bufferedAmount === 0 || bufferedAmount >= this.#waiting) return this.#transport.destroy();
`,
  replace: ``,
};
