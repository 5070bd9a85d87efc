import type { Fault } from "../fault.ts";

/** A connection is counted twice. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    if (match !== null) context.counters.open(match.pattern, this.version);`,
  replace: `    if (match !== null) context.counters.open(match.pattern, this.version);
    if (match !== null && early !== null) context.counters.open(match.pattern, this.version);`,
};
