import type { Fault } from "../fault.ts";

/** A body may have one byte more than maxBodySize. */
export const fault: Fault = {
  file: "src/http/body_framing.ts",
  find: `    if (size > this.#maxSize) {`,
  replace: `    if (size > this.#maxSize + 1) {`,
};
