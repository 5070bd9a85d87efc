import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { RawClient } from "../support/raw_client.ts";
import { spawnScript } from "../support/spawn.ts";
import { openingHandshake, textFrame } from "../support/wire_client.ts";

/**
 * How long a process with nothing left to do may take to exit, in milliseconds: enough for any machine, and
 * a tenth of each timeout that could keep the process.
 */
const PROMPT = 60_000;

describe("a process exits by itself", () => {
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

test("a process stays until a shutdown has dropped a client that it does not read from", async () => {
  const child = spawnScript("tests/server/scripts/exit.ts", ["paused"]);
  let client: RawClient | undefined;
  try {
    const [, port] = await child.waitFor(/^port (\d+)$/m);
    client = await RawClient.connect({ port: Number(port) });
    const text = textFrame("text", "rfc6455");
    client.write(Uint8Array.of(...openingHandshake("/", "rfc6455"), ...text, ...text, ...text));
    // Node's exit code is 13 if a promise can never settle.
    assertEquals(await child.exited, 0, child.output);
    await child.waitFor(/^done$/m);
  } finally {
    client?.destroy();
    await child.stop("SIGKILL");
  }
});
