import type { Fault } from "../fault.ts";

/** The output of a stream drains unnoticed. */
export const fault: Fault = {
  file: "src/transport/http2_stream.ts",
  find: `    else if (this.#state === "open") this.#events.drain();`,
  replace: ``,
};
