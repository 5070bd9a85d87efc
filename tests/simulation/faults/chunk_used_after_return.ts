import type { Fault } from "../fault.ts";

/** Held bytes lie in a chunk that was given back. */
export const fault: Fault = {
  file: "src/connection/reader.ts",
  find: `.push(bytes, owned);
  }

  /** Parses`,
  replace: `.push(bytes, true);
  }

  /** Parses`,
};
