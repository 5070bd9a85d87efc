import type { Fault } from "../fault.ts";

/** draft76 does not answer the close frame. */
export const fault: Fault = {
  file: "src/protocol/hixie.ts",
  find: `    if (!this.hasCloseFrame) return;
    appendByte(output, 0xff);`,
  replace: `    if (this.hasCloseFrame) return;
    appendByte(output, 0xff);`,
};
