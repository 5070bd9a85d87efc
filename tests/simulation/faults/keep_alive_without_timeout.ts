import type { Fault } from "../fault.ts";

/** An idle connection of plain HTTP is never closed. */
export const fault: Fault = {
  file: "src/server/http_connection.ts",
  find: `    this.#setTimer(writer.bufferedAmount > 0 ? handshakeTimeout : keepAliveTimeout);`,
  replace:
    `    this.#setTimer(writer.bufferedAmount > 0 ? handshakeTimeout : 0 * keepAliveTimeout);`,
};
