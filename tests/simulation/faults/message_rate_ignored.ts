import type { Fault } from "../fault.ts";

/** messageRate limits nothing. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `return this.flood === null || this.flood.message();`,
  replace: `return this.flood === null || true;`,
};
