import type { Fault } from "../fault.ts";

/** Bytes that follow the handshake in its chunk are lost. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    if (rest.length > 0) connection.reader.receive(rest, owned);`,
  replace: `    if (rest.length > 64) connection.reader.receive(rest, owned);`,
};
