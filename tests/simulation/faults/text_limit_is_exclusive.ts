import type { Fault } from "../fault.ts";

/** A text of exactly maxMessageSize is refused. */
export const fault: Fault = {
  file: "src/protocol/hixie.ts",
  find: `if (end - start > this.#maxMessageSize) throw tooLong("a text message"`,
  replace: `if (end - start >= this.#maxMessageSize) throw tooLong("a text message"`,
};
