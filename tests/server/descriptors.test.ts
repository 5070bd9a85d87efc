import { describe, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { MemoryClient } from "../support/memory_client.ts";
import { runtime, scriptCommand } from "../support/runtime.ts";
import { Child } from "../support/spawn.ts";

/** How many descriptors the server may have. Its runtime needs about 25 of them. */
const DESCRIPTORS = 64;
const CLIENTS = 100;
/** Fewer than it can serve. */
const SERVED = 5;

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describe("a server that runs out of descriptors", () => {
  test("serves its open connections, and new ones when descriptors are free again", async () => {
    const script = scriptCommand("tests/server/scripts/slow.ts", runtime, "--allow-all");
    const child = new Child(["sh", "-c", `ulimit -n ${DESCRIPTORS}; exec "$@"`, "sh", ...script]);
    const clients: MemoryClient[] = [];
    try {
      const [, digits] = await child.waitFor(/^port (\d+)$/m);
      const port = Number(digits);
      const open = async (): Promise<MemoryClient> => {
        const client = await MemoryClient.connect({ port });
        clients.push(client);
        await client.open("rfc6455", { host: `127.0.0.1:${port}` });
        return client;
      };
      const isServed = async (client: MemoryClient): Promise<void> => {
        client.send("report");
        assertEquals(await client.next(), "text 0 messages, 0 bytes, 0 MiB");
      };
      const first = await open();
      await isServed(first);
      let [served, waiting] = [0, CLIENTS];
      const opened = Promise.all(Array.from({ length: CLIENTS }, async () => {
        if (await open().then(() => true, () => false)) served++;
        waiting--;
      }));
      // As many as the descriptors suffice for are let in, and then nobody for a while.
      for (let before = -1; waiting > 0 && (served <= SERVED || served > before);) {
        before = served;
        await Promise.race([opened, pass(1000)]);
      }
      await isServed(first);
      for (const client of clients) client.reset();
      await opened;
      assert(served > SERVED && served < CLIENTS, `${served} of ${CLIENTS} were let in`);
      // The server may have to process the resets first.
      const patience = Date.now() + 60_000;
      while (!await open().then(() => true, () => false)) {
        assert(Date.now() < patience, "nobody is let in again");
        await pass(20);
      }
      for (let again = 0; again < 5; again++) await isServed(await open());
    } finally {
      for (const client of clients) client.reset();
      await child.stop("SIGKILL");
    }
  });
});
