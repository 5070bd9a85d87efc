import type { Fault } from "../fault.ts";

/** A client whose message a rate delays counts as idle. */
export const fault: Fault = {
  file: "src/connection/keepalive.ts",
  find: `    if (isUnknown) this.messageAt = now;`,
  replace: `    if (flow === "busy") this.messageAt = now;`,
};
