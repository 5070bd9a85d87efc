import type { Fault } from "../fault.ts";

/** All subscribers get the frame of the first one. */
export const fault: Fault = {
  file: "src/pubsub/broadcast.ts",
  find: `const frame = this.#frames[this.#formats.indexOf(format)];`,
  replace: `const frame = this.#frames[0];`,
};
