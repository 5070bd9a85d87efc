import type { Fault } from "../fault.ts";

/** Output that has waited for more is sent only with the next output. */
export const fault: Fault = {
  file: "src/connection/cork.ts",
  find: `  state.patience = 0;
  state.isScheduled = false;
  flushAll();`,
  replace: `  const isOwn = state.mostPatience === MOST_PATIENCE;
  state.patience = 0;
  state.isScheduled = false;
  if (isOwn) flushAll();`,
};
