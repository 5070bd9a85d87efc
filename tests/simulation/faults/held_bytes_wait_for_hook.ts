import type { Fault } from "../fault.ts";

/** What a rate has held back is not read while a hook runs, and so FIN behind it is not noticed. */
export const fault: Fault = {
  file: "src/server/dispatcher.ts",
  find: `    connection.reader.parseHeld();
    this.#closeIfIdle`,
  replace: `    this.#closeIfIdle`,
};
