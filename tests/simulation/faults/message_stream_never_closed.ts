import type { Fault } from "../fault.ts";

/** A message stream stays open if its end arrived before its last piece was read. */
export const fault: Fault = {
  file: "src/connection/message_stream.ts",
  find: `    this.#settle();
    this.#events.taken();`,
  replace: `    this.#events.taken();`,
};
