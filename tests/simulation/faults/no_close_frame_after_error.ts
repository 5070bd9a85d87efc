import type { Fault } from "../fault.ts";

/** An exception closes TCP without a close frame. */
export const fault: Fault = {
  file: "src/connection/states.ts",
  find: `    fail: { next: "closed", sendsClose: true, destroys: false },`,
  replace: `    fail: { next: "closed", sendsClose: false, destroys: false },`,
};
