import type { Fault } from "../fault.ts";

/** onClose() is not called after a reset. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    this.#lifetime?.end(end);
    if (!this.#owesClose) return;`,
  replace: `    this.#lifetime?.end(end);
    if (!this.#owesClose || end.by === "network") return;`,
};
