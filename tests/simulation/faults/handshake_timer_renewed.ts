import type { Fault } from "../fault.ts";

/** Each byte of a request head gives the client more time. */
export const fault: Fault = {
  file: "src/server/http_connection.ts",
  find: `      if (!this.#hasData) this.#begin(rest);`,
  replace: `      if (!this.#hasData) this.#begin(rest);
      this.#setTimer(this.#connection.context.settings.handshakeTimeout);`,
};
