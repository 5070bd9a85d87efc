import type { Fault } from "../fault.ts";

/** handshakeRate limits nothing. */
export const fault: Fault = {
  file: "src/server/opening.ts",
  find: `      context.handshakeRates?.admit(connection.remoteAddress);
`,
  replace: ``,
};
