import type { Fault } from "../fault.ts";

/** A client that answers no ping is kept. */
export const fault: Fault = {
  file: "src/connection/keepalive.ts",
  find: `      action = "dead";`,
  replace: `      action = "wait";`,
};
