import type { Fault } from "../fault.ts";

/** The connection stays open if a source throws. */
export const fault: Fault = {
  file: "src/connection/outgoing_message.ts",
  find: `    this.#failed(thrown);
    // This`,
  replace: `    // This`,
};
