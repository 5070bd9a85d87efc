import type { Fault } from "../fault.ts";

/** A message is sent between the pieces of another one. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `    if (this.#queue !== null) return this.#queue.add(payload);
`,
  replace: ``,
};
