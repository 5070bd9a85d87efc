import type { Fault } from "../fault.ts";

/** A client's messages are decompressed without the window of earlier ones. */
export const fault: Fault = {
  file: "src/protocol/deflate.ts",
  find: `      : new Inflater({ ...shared, windowBits: receiveWindowBits, keepsWindow: true });
    this.format`,
  replace: `      : new Inflater({ ...shared, windowBits: receiveWindowBits, keepsWindow: false });
    this.format`,
};
