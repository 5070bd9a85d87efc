import type { Fault } from "../fault.ts";

/** A broadcast is sent between the pieces of another message. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `    if (this.#queue !== null) return this.#queue.addFrame(frame);
`,
  replace: ``,
};
