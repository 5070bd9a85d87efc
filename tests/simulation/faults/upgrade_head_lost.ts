import type { Fault } from "../fault.ts";

/** The bytes that an HTTP server has read after the head are lost. */
export const fault: Fault = {
  file: "src/server/upgrade_request.ts",
  find: `  const bytes = new Uint8Array(head.length + rest.length);
  bytes.set(head);
  bytes.set(rest, head.length);`,
  replace: `  const bytes = new Uint8Array(head.length);
  bytes.set(head);`,
};
