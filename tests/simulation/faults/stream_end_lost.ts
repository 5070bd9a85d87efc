import type { Fault } from "../fault.ts";

/** END_STREAM is lost while a stream is paused. */
export const fault: Fault = {
  file: "src/transport/http2_stream.ts",
  find: `    if (this.#paused) this.#endIsHeld = true;`,
  replace: `    if (this.#paused) return;`,
};
