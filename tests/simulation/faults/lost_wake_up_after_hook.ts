import type { Fault } from "../fault.ts";

/** Messages that wait for a hook stay in the inbox when it settles. */
export const fault: Fault = {
  file: "src/server/dispatcher.ts",
  find: `      this.resume();
      this.connection.armCloseTimer();`,
  replace: `      this.connection.armCloseTimer();`,
};
