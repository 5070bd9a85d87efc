import type { Fault } from "../fault.ts";

/** A ping that was due while output was stalled is never sent, and then counts as unanswered. */
export const fault: Fault = {
  file: "src/connection/keepalive.ts",
  find: `      this.#isDue = isStalled && this.#watch === "always";`,
  replace: `      this.#isDue = false;`,
};
