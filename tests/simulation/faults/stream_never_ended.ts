import type { Fault } from "../fault.ts";

/** A stream with waiting output is never ended. */
export const fault: Fault = {
  file: "src/transport/http2_stream.ts",
  find: `    if (this.#state === "ending") this.#finish();
    else if`,
  replace: `    if`,
};
