import type { Fault } from "../fault.ts";

/** A ping during congestion is never answered. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `    if (payload !== null) this.writePong(payload);
`,
  replace: ``,
};
