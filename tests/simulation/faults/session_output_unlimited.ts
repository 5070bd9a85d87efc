import type { Fault } from "../fault.ts";

/** Any number of bytes may wait in the socket of a session of HTTP/2. */
export const fault: Fault = {
  file: "src/transport/http2_output.ts",
  find: `    if (!isWaiting && this.#unasked < INTERVAL) return false;`,
  replace: `    if (!isWaiting) return false;`,
};
