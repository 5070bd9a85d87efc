import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { ListenOptions, Server } from "../../src/server/server.ts";
import { sameBytes } from "../support/bytes.ts";
import { MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { HYBI, Rig, VERSIONS } from "../support/rig.ts";

const credentials = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

async function listen(rig: Rig, options: Partial<ListenOptions> = {}): Promise<Server> {
  const where = options.path === undefined ? { hostname: "127.0.0.1", port: 0 } : {};
  const server = rig.app.listen({ ...where, ...options });
  await server.listening;
  return server;
}

/** Ends the test. */
async function end(server: Server, ...clients: MemoryClient[]): Promise<void> {
  const done = server.shutdown();
  for (const client of clients) client.reset();
  await done;
}

/** Lets sockets do their work. */
function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Several times what the system holds on its way, and what the client reads of it. */
const POURED = "x".repeat(32 * 2 ** 20);

/** Counts what comes instead of keeping it. */
class Reader {
  count = 0;
  wrong = 0;
  #enough = Infinity;
  #done: () => void = () => {};
  readonly #client: MemoryClient;

  constructor(client: MemoryClient, expected: number) {
    this.#client = client;
    const right = new Uint8Array(2 ** 20).fill(expected);
    const { transport } = client;
    const { events } = transport;
    transport.events = {
      ...events,
      data: (chunk) => {
        this.count += chunk.length;
        // At once: a busy machine may run a timer only when all is read.
        if (this.count >= this.#enough) {
          transport.pause();
          this.#done();
        }
        if (sameBytes(chunk, right.subarray(0, chunk.length))) return;
        for (let i = 0; i < chunk.length; i++) if (chunk[i] !== expected) this.wrong++;
      },
      drain: () => {},
      end: () => events.end(),
      closed: (error) => {
        this.#done();
        events.closed(error);
      },
    };
  }

  /** Reads until `size` more bytes have come, and at most a chunk more; or to the end. */
  read(size: number): Promise<void> {
    this.#enough = this.count + size;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#client.transport.resume();
    });
  }
}

describe("over real sockets", () => {
  const ways: Record<string, { options: Partial<ListenOptions>; tls?: boolean }> = {
    "TCP": { options: {} },
    "TLS": { options: credentials, tls: true },
    "a unix socket": { options: { path: join(tmpdir(), `waterspout-${process.pid}`) } },
  };
  for (const [name, { options, tls }] of Object.entries(ways)) {
    for (const version of VERSIONS) {
      test(`${version} echoes over ${name}, and closes`, async () => {
        const rig = new Rig(Echo, { secureDraftsOnly: tls === true });
        const path = options.path === undefined ? undefined : `${options.path}-${version}.sock`;
        const server = await listen(rig, path === undefined ? options : { path });
        const client = await MemoryClient.connect({
          ...(path === undefined ? { port: server.addr.port } : { path }),
          ...(tls ? { tls: { insecure: true } } : {}),
        });
        const origin = tls ? "https://localhost" : "http://localhost";
        await client.open(version, { origin });
        const texts = ["", "hello", "caf\u00e9", "x".repeat(100_000)];
        for (const text of texts) client.send(text);
        for (const text of texts) assertEquals(await client.next(), `text ${text}`);
        if (HYBI.includes(version)) {
          client.send(new Uint8Array(1000).fill(7));
          assertEquals(await client.next(), `binary ${new Uint8Array(1000).fill(7)}`);
        }
        client.close(1000);
        client.end();
        await client.until("the end", () => client.events.includes("gone"));
        const close = { draft75: [], draft76: ["close"] }[version as string] ?? ["close 1000"];
        assertEquals(client.events, [...close, "FIN", "gone"]);
        await end(server, client);
        if (path !== undefined) rmSync(path, { force: true });
      });
    }
  }

  test("a large message belongs to the caller again when its promise resolves", async () => {
    class Reusing extends WebSocketHandler {
      async onMessage(): Promise<void> {
        const buffer = new Uint8Array(16 * 2 ** 20).fill(7);
        await this.writeMessage(buffer);
        buffer.fill(9);
      }
    }
    // So high a mark that nobody waits for it.
    const limits = { highWaterMark: 2 ** 30, maxBufferedAmount: 2 ** 30 };
    const server = await listen(new Rig(Reusing, limits));
    const client = await MemoryClient.connect({ port: server.addr.port });
    await client.open("rfc6455", { host: `127.0.0.1:${server.addr.port}` });
    client.send("go");
    // The system takes a part of it, and the rest waits.
    client.transport.pause();
    await pass(100);
    const reader = new Reader(client, 7);
    await reader.read(16 * 2 ** 20);
    assert(reader.wrong <= 10, `${reader.wrong} bytes are not the message's`);
    await end(server, client);
  });

  for (const version of ["rfc6455", "draft76"] as const) {
    test(`a ${version} client that does not read is dropped, and one that is slow is not`, async () => {
      let buffered = () => 0;
      class Pouring extends Recording {
        override onMessage(): void {
          buffered = () => this.bufferedAmount;
          this.note("poured");
          this.writeMessage(POURED);
        }
      }
      const events: string[] = [];
      const rig = new Rig([["/", Pouring, events]], { maxBufferedAmount: 2 ** 30 });
      const server = await listen(rig);
      const client = await MemoryClient.connect({ port: server.addr.port });
      await client.open(version, { host: `127.0.0.1:${server.addr.port}` });
      client.transport.pause();
      client.send("go");
      while (events.length < 2) await pass(1);
      await pass(50);
      const reader = new Reader(client, 0x78);
      for (let waited = 0; waited < 90_000; waited += 15_000) {
        await rig.clock.advance(15_000);
        // The system passes on what it holds at first, which the server does not see.
        for (const before = buffered(); buffered() === before && events.length < 3;) {
          await reader.read(500_000);
          await pass(1);
        }
      }
      assertEquals(events, ["open", "poured"]);
      // On a busy machine, the system may still move bytes, which counts as progress.
      for (let waited = 0; waited < 100 && events.length < 3; waited++) {
        await rig.clock.advance(60_100);
        await pass(20);
      }
      assertEquals(events, ["open", "poured", "close"]);
      await end(server, client);
    });
  }
});
