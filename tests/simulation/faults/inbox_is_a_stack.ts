import type { Fault } from "../fault.ts";

/** The newest waiting message is handled first. */
export const fault: Fault = {
  file: "src/connection/inbox.ts",
  find: `    const event = this.#events[this.#next];
    if (event === undefined) return undefined;`,
  replace: `    const swapped = this.#events.pop();
    if (swapped !== undefined) this.#events.splice(this.#next, 0, swapped);
    const event = this.#events[this.#next];
    if (event === undefined) return undefined;`,
};
