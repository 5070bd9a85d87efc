import type { Fault } from "../fault.ts";

/** A message stream that was cut off never fails. */
export const fault: Fault = {
  file: "src/server/incoming_streams.ts",
  find: `    this.#arriving?.fail(new IncompleteMessageError(end));
`,
  replace: `    void IncompleteMessageError, end;
`,
};
