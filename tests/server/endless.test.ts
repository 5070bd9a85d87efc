/**
 * Output without an end, over sockets, in its own process: other clients are served meanwhile. When the
 * client closes, the output ends, and the process has nothing left to do.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { makeOpening, MemoryClient } from "../support/memory_client.ts";
import { type Child, spawnScript } from "../support/spawn.ts";

/** A client that reads as fast as it can. */
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

  /** Resolves when it has received more bytes. */
  more(bytes: number): Promise<void> {
    return this.until(this.received + bytes);
  }

  /** Resolves when it has received so many bytes in all. */
  async until(total: number): Promise<void> {
    while (this.received < total) await new Promise<void>((resolve) => this.#changed = resolve);
  }
}

/** The response to a plain request. */
async function get(port: number, path: string): Promise<string> {
  const client = await MemoryClient.connect({ port });
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
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

/** Lets output go on without an end, and other clients meanwhile. Then the output's client closes. */
async function endure(port: number, path: string): Promise<void> {
  const { bytes, ended } = ROWS[path] ?? { bytes: 0, ended: "" };
  const host = `127.0.0.1:${port}`;
  const open = (path: string) => new Drain(port, makeOpening("rfc6455", { path, host }).head);
  const isHttp = ["/stream", "/pieces", "/empty"].includes(path);
  const echo = await MemoryClient.connect({ port });
  const listener = open("/listen");
  const endless = isHttp ? new Drain(port, plain(path)) : open(path);
  try {
    await echo.open("rfc6455", { path: "/echo", host });
    // At least the head of the response, which may have arrived already.
    await endless.until(Math.max(bytes, 1));
    if (path === "/topic") await listener.more(1_000_000);
    for (let i = 0; i < 10; i++) {
      echo.send(`${i}`);
      assertEquals(await echo.next(), `text ${i}`);
    }
    // The output has gone on in the meantime.
    await endless.more(bytes);
    // After FIN alone, the client might still read. Without progress, the server gives up after a timeout.
    if (bytes === 0) endless.socket.resetAndDestroy();
    else endless.socket.destroy();
    while (!(await get(port, "/ended")).includes(ended));
    echo.send("still there");
    assertEquals(await echo.next(), "text still there");
  } finally {
    for (const { socket } of [endless, listener]) socket.destroy();
    echo.reset();
  }
}

describe("output without an end", () => {
  let child: Child;
  let port = 0;
  before(async () => {
    child = spawnScript("tests/server/scripts/endless.ts");
    port = Number((await child.waitFor(/^port (\d+)$/m))[1]);
  });
  after(() => child.stop("SIGKILL"));

  for (const path of Object.keys(ROWS)) {
    test(`${path} lets others be served, and ends when its client closes`, () =>
      endure(port, path));
  }

  test("leaves nothing to do: the process exits after a shutdown", async () => {
    const all = Object.values(ROWS).map(({ ended }) => ended);
    assertEquals(await get(port, "/stop"), all.join("\n"));
    // A busy process would not exit.
    assertEquals(await child.exited, 0, child.output);
  });
});
