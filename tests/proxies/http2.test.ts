import { assertEquals } from "@std/assert";
import { connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { type ProxyName, startProxy } from "./proxy.ts";

/** Tells the HTTP version of its request, then echoes. */
class Echo extends WebSocketHandler {
  override open(): void {
    this.writeMessage(this.rawRequest === undefined ? "HTTP/1.1" : "HTTP/2");
  }
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** The lengths of messages, in characters of three bytes. */
const SIZES: readonly number[] = [0, 125, 65_536, 350_000];

/** The length of the longest message through lighttpd and nghttpx; one proxy with more is enough. */
const MEDIUM = 65_536;

/** More than the longest message: the window of a stream on the server. */
const WINDOW = 4 * 1024 * 1024;

/** Echoes over a session with a proxy before a server, on several streams. */
async function echoThrough(
  proxy: ProxyName,
  { port, expected, largest = Infinity }: { port: number; expected: string; largest?: number },
): Promise<void> {
  const front = await startProxy(proxy, port);
  const http2 = connect(`http://127.0.0.1:${front.port}`);
  http2.on("error", () => {});
  try {
    const url = `ws://127.0.0.1:${front.port}/ws`;
    const clients = await Promise.all(
      Array.from({ length: 5 }, () => websocketConnect(url, { http2, compression: {} })),
    );
    for (const client of clients) assertEquals(await client.readMessage(), expected);
    for (const size of SIZES.filter((length) => length <= largest)) {
      await Promise.all(clients.map(async (client) => {
        await client.writeMessage("語".repeat(size));
        assertEquals(await client.readMessage(), "語".repeat(size));
      }));
    }
    for (const client of clients) {
      client.close(4000, "done");
      await client.closed;
      assertEquals([client.closeCode, client.closeReason], [4000, "done"]);
    }
  } finally {
    http2.destroy();
    await front.stop();
  }
}

describe("WebSockets on one session of HTTP/2 reach the server behind", () => {
  for (const front of ["HAProxy as a front of HTTP/2", "lighttpd", "nghttpx"] as const) {
    test(`${front}, which speaks HTTP/1.1 to the server`, async () => {
      const app = new Application([["/ws", Echo]]);
      await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
      await server.listening;
      const { port } = server.addr;
      const largest = front.startsWith("HAProxy") ? Infinity : MEDIUM;
      await echoThrough(front, { port, expected: "HTTP/1.1", largest });
    });
  }

  test("HAProxy with HTTP/2 on both sides", async () => {
    // HAProxy 2.6 reads no frame of a connection while the frame before waits for a window. With
    // messages in both directions, window updates wait behind messages, and nothing moves on.
    // It cannot happen where the server's windows have room for all that clients send at once.
    const server = createServer({ settings: { initialWindowSize: WINDOW } });
    server.on("session", (session) => session.setLocalWindowSize(16 * WINDOW));
    await using _attachment = new Application([["/ws", Echo]]).attach(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await echoThrough("HAProxy with HTTP/2 on both sides", { port, expected: "HTTP/2" });
    } finally {
      server.close();
    }
  });
});
