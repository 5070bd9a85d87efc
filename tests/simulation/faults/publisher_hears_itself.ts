import type { Fault } from "../fault.ts";

/** A publisher gets its own message. */
export const fault: Fault = {
  file: "src/pubsub/topics.ts",
  find: `if (subscriber !== except) broadcast.to(subscriber);`,
  replace: `broadcast.to(subscriber);`,
};
