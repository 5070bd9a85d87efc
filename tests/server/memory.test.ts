import { describe, test } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { MemoryClient } from "../support/memory_client.ts";
import { push, pushMebibytes, withSlowServer } from "./slow_server.ts";

/** How much data is sent to a server, in MiB: more than it may hold. `soak` sends a gigabyte. */
const PUSHED = 160;
/** How much memory a server may use in addition to that of its first message, in MiB. */
const FLAT = 128;

describe("the memory of a server with a slow handler", () => {
  test("stays constant while a client sends large messages", async () => {
    const grown = await withSlowServer((port) => pushMebibytes(port, PUSHED));
    assertLess(grown, FLAT, `it has grown by ${grown} MiB`);
  });

  test("stays constant while a draft76 client sends small messages", async () => {
    await withSlowServer(async (port) => {
      const client = await MemoryClient.connect({ port });
      await client.open("draft76", { host: `127.0.0.1:${port}` });
      const frames = new Uint8Array(100_000).fill(0x61);
      for (let at = 0; at < frames.length; at += 20_000) {
        frames[at] = 0x00;
        frames[at + 19_999] = 0xff;
      }
      await push(client, frames, 800);
      client.send("report");
      const report = await client.next();
      client.reset();
      const [, messages, grown] = /^text (\d+) messages, \d+ bytes, (\d+) MiB$/.exec(report) ?? [];
      assertEquals(messages, "4000");
      // The messages have 76 MiB.
      assert(Number(grown) < 64, `it has grown by ${grown} MiB`);
    });
  });
});

describe("the memory of a connection after a message of 16 MiB", () => {
  const size = 16 * 2 ** 20 - 10;
  const connections = 4;

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

  test("is that of an idle connection again, in rfc6455 and draft76", async () => {
    await withSlowServer(async (port) => {
      const clients: MemoryClient[] = [];
      for (const version of ["rfc6455", "draft76"] as const) {
        const frame = largeFrame(version);
        for (let i = 0; i < connections; i++) {
          const client = await MemoryClient.connect({ port });
          clients.push(client);
          await client.open(version, { host: `127.0.0.1:${port}` });
          await push(client, frame, 1);
          client.send("report");
          assertEquals((await client.next()).split(",")[0], `text ${clients.length} messages`);
        }
      }
      clients[0]?.send("rest");
      const left = await clients[0]?.next();
      for (const client of clients) client.reset();
      const [, mebibytes] = /^text (\d+) MiB$/.exec(left ?? "") ?? [];
      // The messages of each version had 64 MiB, or twice as much.
      assert(Number(mebibytes) < 60, `${mebibytes} MiB are used`);
    });
  });
});
