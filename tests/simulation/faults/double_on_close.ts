import type { Fault } from "../fault.ts";

/** onClose() is called twice. */
export const fault: Fault = {
  file: "src/server/server_connection.ts",
  find: `    queueMicrotask(() => this.#callOnClose(end));`,
  replace: `    queueMicrotask(() => this.#callOnClose(end));
    if (end.by === "network") queueMicrotask(() => this.#callOnClose(end));`,
};
