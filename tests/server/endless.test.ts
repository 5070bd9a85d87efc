/**
 * Output without an end, over sockets, in a process of its own: others are answered meanwhile, and
 * when its client has left, the output ends and the process has nothing left to do.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { makeOpening, MemoryClient } from "../support/memory_client.ts";
import { type Child, spawnScript } from "../support/spawn.ts";

/** A client that reads as fast as it can, and keeps nothing. */
class Drain {
  received = 0;
  readonly socket: Socket;
  #changed: () => void = () => {};

  constructor(port: number, request: string) {
    this.socket = connect(port, "127.0.0.1", () => this.socket.write(request));
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => {
      this.received += chunk.length;
      this.#changed();
    });
  }

  /** Resolves when it has received so much more. */
  more(bytes: number): Promise<void> {
    const target = this.received + bytes;
    if (bytes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#changed = () => {
        if (this.received >= target) resolve();
      };
    });
  }
}

/** What a plain request is answered. */
async function get(port: number, path: string): Promise<string> {
  const client = await MemoryClient.connect({ port });
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await client.until("the answer", () => client.events.length > 0);
  client.end();
  return client.parseAnswer().body;
}

const plain = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** What is without an end, how much of it is waited for, and of what it ends. */
const ROWS: Readonly<Record<string, { readonly bytes: number; readonly ended: string }>> = {
  "/messages": { bytes: 1_000_000, ended: "/messages WebSocketClosedError" },
  "/small": { bytes: 1000, ended: "/small WebSocketClosedError" },
  "/topic": { bytes: 1000, ended: "/topic WebSocketClosedError" },
  "/stream": { bytes: 1_000_000, ended: "/stream canceled" },
  "/pieces": { bytes: 1000, ended: "/pieces canceled" },
  "/empty": { bytes: 0, ended: "/empty canceled" },
};

describe("output without an end", () => {
  for (const [path, { bytes, ended }] of Object.entries(ROWS)) {
    test(`${path} lets others be answered, and ends when its client leaves`, async () => {
      const child: Child = spawnScript("tests/server/scripts/endless.ts");
      const sockets: Socket[] = [];
      try {
        const [, digits] = await child.waitFor(/^port (\d+)$/m);
        const port = Number(digits);
        const host = `127.0.0.1:${port}`;
        const open = (path: string) => {
          const drain = new Drain(port, makeOpening("rfc6455", { path, host }).head);
          sockets.push(drain.socket);
          return drain;
        };
        const echo = await MemoryClient.connect({ port });
        await echo.open("rfc6455", { path: "/echo", host });
        const listener = open("/listen");
        const isHttp = ["/stream", "/pieces", "/empty"].includes(path);
        const endless = isHttp ? new Drain(port, plain(path)) : open(path);
        // The head of the answer, at least.
        await endless.more(Math.max(bytes, 1));
        if (path === "/topic") await listener.more(1_000_000);
        for (let i = 0; i < 10; i++) {
          echo.send(`${i}`);
          assertEquals(await echo.next(), `text ${i}`);
        }
        // It has gone on meanwhile.
        await endless.more(bytes);
        // After FIN alone it might still read: without output, it is given up after a timeout.
        if (bytes === 0) endless.socket.resetAndDestroy();
        else endless.socket.destroy();
        while (!(await get(port, "/ended")).includes(ended));
        echo.send("still there");
        assertEquals(await echo.next(), "text still there");
        for (const client of sockets) client.destroy();
        echo.reset();
        assertEquals(await get(port, "/stop"), ended);
        // A process that was still busy would not end by itself.
        assertEquals(await child.exited, 0, child.output);
      } finally {
        for (const client of sockets) client.destroy();
        await child.stop("SIGKILL");
      }
    });
  }
});
