import type { Fault } from "../fault.ts";

/** Reading never stops for a busy handler. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `    if (pause) this.#transport.pause();
    else this.#transport.resume();`,
  replace: `    if (!pause) this.#transport.resume();`,
};
