import type { Fault } from "../fault.ts";

/** A ping during congestion is never answered. */
export const fault: Fault = {
  file: "src/connection/writer.ts",
  find: `    if (stall !== null && stall.ping !== null) this.writePong(stall.ping);
`,
  replace: ``,
};
