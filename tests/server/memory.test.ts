import { describe, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { COLLECTABLE } from "../support/collect.ts";
import { MemoryClient } from "../support/memory_client.ts";
import { type Child, spawnScript } from "../support/spawn.ts";

/** How much data is sent to a server, in MiB: far more than it may hold. */
const PUSHED = 512;
/** How much memory a server may use in addition to that of its first message, in MiB. */
const FLAT = 200;

async function withServer(use: (port: number, child: Child) => Promise<void>): Promise<void> {
  const child = spawnScript("tests/server/scripts/slow.ts", [], { env: COLLECTABLE });
  try {
    const [, port] = await child.waitFor(/^port (\d+)$/m);
    await use(Number(port), child);
  } finally {
    await child.stop("SIGKILL");
  }
}

/** Sends the same bytes again and again, as fast as the server reads them. */
async function push(client: MemoryClient, bytes: Uint8Array, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent++) {
    client.transport.write(bytes, true);
    while (client.transport.bufferedAmount > 8 * 2 ** 20) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

describe("the memory of a server with a slow handler", () => {
  test("stays constant while a client sends half a gigabyte", async () => {
    await withServer(async (port) => {
      const client = await MemoryClient.connect({ port });
      await client.open("rfc6455", { host: `127.0.0.1:${port}` });
      // With a mask of zeros, this end has less work.
      const size = 2 ** 20;
      const frame = new Uint8Array(14 + size);
      frame.set([0x82, 0xff, 0, 0, 0, 0, 0, size >> 16, 0, 0]);
      await push(client, frame, PUSHED);
      client.send("report");
      const report = await client.next();
      client.reset();
      const [, messages, bytes, grown] =
        /^text (\d+) messages, (\d+) bytes, (\d+) MiB$/.exec(report) ?? [];
      assertEquals([messages, bytes], [`${PUSHED}`, `${PUSHED * size}`]);
      assert(Number(grown) < FLAT, `it has grown by ${grown} MiB`);
    });
  });

  test("stays constant while a draft76 client sends small messages", async () => {
    await withServer(async (port) => {
      const client = await MemoryClient.connect({ port });
      await client.open("draft76", { host: `127.0.0.1:${port}` });
      const frames = new Uint8Array(100_000).fill(0x61);
      for (let at = 0; at < frames.length; at += 20_000) {
        frames[at] = 0x00;
        frames[at + 19_999] = 0xff;
      }
      await push(client, frames, 1000);
      client.send("report");
      const report = await client.next();
      client.reset();
      const [, messages, grown] = /^text (\d+) messages, \d+ bytes, (\d+) MiB$/.exec(report) ?? [];
      assertEquals(messages, "5000");
      assert(Number(grown) < FLAT, `it has grown by ${grown} MiB`);
    });
  });
});

describe("the memory of a connection after a message of 16 MiB", () => {
  const size = 16 * 2 ** 20 - 10;
  const connections = 12;

  /** Frames with a payload of `size` ASCII bytes. */
  function largeFrame(version: "rfc6455" | "draft76"): Uint8Array {
    if (version === "draft76") {
      const frame = new Uint8Array(size + 2).fill(0x61);
      frame[0] = 0x00;
      frame[size + 1] = 0xff;
      return frame;
    }
    const frame = new Uint8Array(14 + size).fill(0x61);
    // The masking key is zeros.
    frame.set([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    new DataView(frame.buffer).setUint32(6, size);
    return frame;
  }

  for (const version of ["rfc6455", "draft76"] as const) {
    test(`is that of an idle connection again, ${version}`, async () => {
      await withServer(async (port) => {
        const frame = largeFrame(version);
        const clients: MemoryClient[] = [];
        for (let i = 0; i < connections; i++) {
          const client = await MemoryClient.connect({ port });
          clients.push(client);
          await client.open(version, { host: `127.0.0.1:${port}` });
          await push(client, frame, 1);
          client.send("report");
          assertEquals((await client.next()).split(",")[0], `text ${i + 1} messages`);
        }
        clients[0]?.send("rest");
        const left = await clients[0]?.next();
        for (const client of clients) client.reset();
        const [, mebibytes] = /^text (\d+) MiB$/.exec(left ?? "") ?? [];
        // All messages together had 192 MiB, or twice as much.
        assert(Number(mebibytes) < 60, `${mebibytes} MiB are used`);
      });
    });
  }
});
