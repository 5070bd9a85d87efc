import type { Fault } from "../fault.ts";

/** The size of a compressed message is not limited. */
export const fault: Fault = {
  file: "src/protocol/deflate.ts",
  find: `return this.#inflater.inflate(payload, maxMessageSize, memory);`,
  replace: `return this.#inflater.inflate(payload, Infinity * maxMessageSize, memory);`,
};
