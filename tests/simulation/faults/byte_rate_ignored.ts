import type { Fault } from "../fault.ts";

/** byteRate limits nothing. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `    if (this.flood !== null) this.flood.bytes(chunk.length);
`,
  replace: ``,
};
