import type { Fault } from "../fault.ts";

/** A closed connection stays subscribed. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    this.context.topics.unsubscribeAll(this);`,
  replace: `    if (this.topics === undefined) this.context.topics.unsubscribeAll(this);`,
};
