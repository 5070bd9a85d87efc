import type { Fault } from "../fault.ts";

/** Messages that wait for slow output stay in the inbox when it drains. */
export const fault: Fault = {
  file: "src/server/dispatcher.ts",
  find: `      this.call((handler) => handler.onDrain());
    }
    this.resume();`,
  replace: `      this.call((handler) => handler.onDrain());
    }`,
};
