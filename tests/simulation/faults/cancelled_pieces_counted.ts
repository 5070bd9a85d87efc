import type { Fault } from "../fault.ts";

/** The pieces of a cancelled message stream still count as waiting. */
export const fault: Fault = {
  file: "src/connection/message_stream.ts",
  find: `    this.#events.resized(-size);
`,
  replace: ``,
};
