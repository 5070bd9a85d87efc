import type { Fault } from "../fault.ts";

/** A socket that is paused keeps one chunk only. */
export const fault: Fault = {
  file: "src/transport/node_socket.ts",
  find: `    held.push(chunk, false);`,
  replace: `    if (held.size === 0) held.push(chunk, false);`,
};
