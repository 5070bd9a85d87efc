import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { spawnScript } from "../support/spawn.ts";

/** How long a process with nothing left to do may take, in milliseconds: less than any timeout. */
const PROMPT = 4000;

describe("a process ends by itself", () => {
  const cases = {
    connected: "after a shutdown that found clients",
    gone: "after a shutdown that found none any more",
    accept: "when the listener that it owns itself is closed, and the last client gone",
    unref: "while a server listens that is unref'd",
  };
  for (const [name, when] of Object.entries(cases)) {
    test(when, async () => {
      const child = spawnScript("tests/server/scripts/exit.ts", [name]);
      try {
        await child.waitFor(/^done$/m);
        const late = new Promise<string>((resolve) => {
          const timer = setTimeout(() => resolve("it is still there"), PROMPT);
          void child.exited.then(() => clearTimeout(timer));
        });
        assertEquals(await Promise.race([child.exited, late]), 0, child.output);
      } finally {
        await child.stop("SIGKILL");
      }
    });
  }
});
