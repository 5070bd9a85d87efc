import type { Fault } from "../fault.ts";

/** After a stop, compressed bytes are unmasked again. */
export const fault: Fault = {
  file: "src/protocol/incoming_pieces.ts",
  find: `const input = new Uint8Array(masked.subarray(used, used + SLICE));`,
  replace: `const input = masked.subarray(used, used + SLICE);`,
};
