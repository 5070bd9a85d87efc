import type { Fault } from "../fault.ts";

/** A handshake waits for prepare() without a limit. */
export const fault: Fault = {
  file: "src/server/opening.ts",
  find: `    if (this.#state === "preparing") {
      this.refuse(new`,
  replace: `    if (this.#state === "preparing") return;
    if (this.#state === "deciding") {
      this.refuse(new`,
};
