import type { Fault } from "../fault.ts";

/** A client does not answer the close frame of its server. */
export const fault: Fault = {
  file: "src/client/message_queue.ts",
  find: `    this.connection?.peerClosed(code, reason);
`,
  replace: `    void code, reason;
`,
};
