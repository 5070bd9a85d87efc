import type { Fault } from "../fault.ts";

/** Only the first ping is sent. */
export const fault: Fault = {
  file: "src/connection/connection.ts",
  find: `    if (action === "ping") this.ping(EMPTY);
`,
  replace: `    if (action === "ping") return this.ping(EMPTY);
`,
};
