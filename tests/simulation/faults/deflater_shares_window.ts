import type { Fault } from "../fault.ts";

/** Connections without context share the window for output. */
export const fault: Fault = {
  file: "src/protocol/deflate.ts",
  find: `      deflater = new Deflater({ ...this, options, keepsWindow: false });`,
  replace: `      deflater = new Deflater({ ...this, options, keepsWindow: true });`,
};
