import type { Fault } from "../fault.ts";

/** idleTimeout closes clients that send. */
export const fault: Fault = {
  file: "src/connection/connection.ts",
  find: `      this.#keepalive?.message(this.#environment.wheel.now());`,
  replace: `      this.#keepalive?.message(0);`,
};
