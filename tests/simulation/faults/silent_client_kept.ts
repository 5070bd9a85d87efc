import type { Fault } from "../fault.ts";

/** A client that sends nothing is kept. */
export const fault: Fault = {
  file: "src/server/http_connection.ts",
  find: `    } // A client that has sent nothing gets no response.
    else this.abort();`,
  replace: `    }`,
};
