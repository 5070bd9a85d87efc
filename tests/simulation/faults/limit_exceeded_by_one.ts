import type { Fault } from "../fault.ts";

/** A message may have one byte more than maxMessageSize. */
export const fault: Fault = {
  file: "src/protocol/message_limits.ts",
  find: `  if (size > maxMessageSize + (isCompressed`,
  replace: `  if (size > maxMessageSize + 1 + (isCompressed`,
};
