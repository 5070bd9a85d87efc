import type { Fault } from "../fault.ts";

/** A client that waits for room to write does not read, as its server does. */
export const fault: Fault = {
  file: "src/connection/connection_options.ts",
  find: `  name: "client",
  endsFirst: false,
  readsWhileCongested: true,`,
  replace: `  name: "client",
  endsFirst: false,
  readsWhileCongested: false,`,
};
