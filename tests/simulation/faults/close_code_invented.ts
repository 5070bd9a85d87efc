import type { Fault } from "../fault.ts";

/** A close frame without a code is answered with 1000. */
export const fault: Fault = {
  file: "src/connection/connection.ts",
  find: `code === 1005 ? undefined : code, reason`,
  replace: `code === 1005 ? 1000 : code, reason`,
};
