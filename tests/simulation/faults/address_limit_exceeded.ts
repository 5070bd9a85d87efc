import type { Fault } from "../fault.ts";

/** An address may have one connection more than maxConnectionsPerAddress. */
export const fault: Fault = {
  file: "src/server/connection_limits.ts",
  find: `    if (count >= this.#limit) return false;`,
  replace: `    if (count > this.#limit) return false;`,
};
