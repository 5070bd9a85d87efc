import type { Fault } from "../fault.ts";

/** A paused transport is never resumed. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `    if (pause) this.#transport.pause();
    else this.#transport.resume();`,
  replace: `    if (pause) this.#transport.pause();`,
};
