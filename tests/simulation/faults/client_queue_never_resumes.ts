import type { Fault } from "../fault.ts";

/** A client whose queue was full does not read again. */
export const fault: Fault = {
  file: "src/client/message_queue.ts",
  find: `      if (reader?.paused || reader?.isBehind) corked(() => this.resume());
`,
  replace: `      if (reader?.paused && !reader?.isBehind) corked(() => this.resume());
`,
};
