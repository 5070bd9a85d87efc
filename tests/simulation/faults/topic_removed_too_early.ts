import type { Fault } from "../fault.ts";

/** When one unsubscribes, all do. */
export const fault: Fault = {
  file: "src/pubsub/topics.ts",
  find: `    if (left !== undefined) return;
`,
  replace: ``,
};
