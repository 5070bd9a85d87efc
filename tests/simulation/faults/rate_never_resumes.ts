import type { Fault } from "../fault.ts";

/** A client that was throttled is never read again. */
export const fault: Fault = {
  file: "src/server/dispatcher.ts",
  find: `      resumed: () => corked(() => this.resume()),`,
  replace: `      resumed: () => {},`,
};
