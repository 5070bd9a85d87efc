import type { Fault } from "../fault.ts";

/** Streams that wait for the socket of their session are not told when it has room again. */
export const fault: Fault = {
  file: "src/transport/http2_output.ts",
  find: `    for (const waiter of waiters) waiter.socketDrained();`,
  replace: ``,
};
