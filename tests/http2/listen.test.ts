import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from "node:http2";
import { describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Application, type Settings, WebSocketHandler } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import type { Server } from "../../src/server/server.ts";
import { listen as listenWithNode } from "../../src/transport/node.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { handshake, settingsOf } from "./rig.ts";

const credentials = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

class Echo extends WebSocketHandler {
  override open(): void {
    const { secure, remoteAddress } = this.connection;
    assertEquals([secure, remoteAddress.hostname], [true, "127.0.0.1"]);
  }
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** A server, and sessions with it. */
class Listening implements AsyncDisposable {
  readonly app: Application;
  readonly server: Server;
  readonly logged: string[] = [];
  readonly #clients: ClientHttp2Session[] = [];

  private constructor(settings: Partial<Settings>) {
    this.app = new Application([["/ws", Echo]], {
      versions: WEBSOCKET_VERSIONS,
      log: (message, error) => this.logged.push(`${message} ${error ?? ""}`),
      ...settings,
    });
    this.server = this.app.listen({
      port: 0,
      hostname: "127.0.0.1",
      http2: true,
      ...credentials,
    });
  }

  static async start(settings: Partial<Settings> = {}): Promise<Listening> {
    const listening = new Listening(settings);
    await listening.server.listening;
    return listening;
  }

  get url(): string {
    return `wss://localhost:${this.server.addr.port}/ws`;
  }

  async session(): Promise<ClientHttp2Session> {
    const session = connect(`https://localhost:${this.server.addr.port}`, {
      ca: credentials.cert,
      host: "127.0.0.1",
      servername: "localhost",
    });
    session.on("error", () => {});
    this.#clients.push(session);
    await settingsOf(session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.server.shutdown();
  }
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends a request, and returns the response. */
async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
  pieces?: readonly string[],
): Promise<Answer> {
  const stream = session.request(fields, { endStream: pieces === undefined });
  let headers: Record<string, unknown> = {};
  let body = "";
  stream.setEncoding("utf8");
  stream.on("error", () => {});
  stream.on("response", (response) => headers = response as Record<string, unknown>);
  stream.on("data", (chunk) => body += chunk);
  // On Deno, the close of a stream whose request is not sent to its end takes five seconds.
  stream.on("end", () => stream.writableFinished ? stream.close() : stream.destroy());
  for (const piece of pieces ?? []) {
    stream.write(piece);
    await new Promise((next) => setImmediate(next));
  }
  if (pieces !== undefined) stream.end();
  await new Promise((resolve) => stream.on("close", resolve));
  return { status: headers[":status"] as number | undefined, headers, body };
}

async function echo(url: string, options: Parameters<typeof websocketConnect>[1]): Promise<void> {
  const connection = await websocketConnect(url, options);
  await connection.writeMessage("Hello");
  assertEquals(await connection.readMessage(), "Hello");
  connection.close();
  await connection.closed;
}

async function until(reached: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 60_000 && !reached(); i++) await new Promise((next) => setTimeout(next, 1));
  assert(reached(), `Waited in vain for ${what}`);
}

/** Advances a clock until a session is closed: a busy machine may set the timer late. */
async function untilClosed(session: ClientHttp2Session, clock: FakeClock): Promise<void> {
  for (let i = 0; i < 2000 && !session.closed; i++) {
    await clock.advance(1000);
    await new Promise((next) => setTimeout(next, 1));
  }
  assert(session.closed, "The session goes on");
}

describe("a listener with http2", () => {
  test("serves HTTP/2, HTTP/1.1 and every version on one port", async () => {
    await using listening = await Listening.start();
    const tls = { ca: credentials.cert };
    for (const version of WEBSOCKET_VERSIONS) await echo(listening.url, { tls, version });
    const http2 = await listening.session();
    for (let i = 0; i < 3; i++) await echo(listening.url, { http2 });
    assertEquals(listening.logged, []);
  });

  test("agrees on the protocol by ALPN", async () => {
    await using listening = await Listening.start();
    const { port } = listening.server.addr;
    for (
      const [offered, expected] of [
        [["h2", "http/1.1"], "h2"],
        [["http/1.1"], "http/1.1"],
        [undefined, false],
      ] as const
    ) {
      const socket = connectTls({
        host: "127.0.0.1",
        servername: "localhost",
        port,
        ca: credentials.cert,
        ...(offered === undefined ? {} : { ALPNProtocols: [...offered] }),
      });
      socket.on("error", () => {});
      await once(socket, "secureConnect");
      assertEquals(socket.alpnProtocol || false, expected);
      socket.destroy();
    }
  });

  test("serves plain requests by the setting fetch", async () => {
    await using listening = await Listening.start({
      fetch: async (request) => {
        const { pathname, protocol } = new URL(request.url);
        if (pathname === "/throw") throw new Error("on purpose");
        if (pathname === "/stream") {
          return new Response(
            new ReadableStream({
              async start(controller) {
                for (let i = 0; i < 3; i++) {
                  controller.enqueue(new TextEncoder().encode(`piece ${i};`));
                  await new Promise((next) => setTimeout(next, 1));
                }
                controller.close();
              },
            }),
          );
        }
        const body = await request.text();
        return new Response(`${request.method} ${protocol} ${pathname} ${body}`, {
          status: 201,
          headers: { "X-Seen": request.headers.get("x-sent") ?? "", "Keep-Alive": "timeout=9" },
        });
      },
    });
    const session = await listening.session();
    const get = await ask(session, { ":path": "/page", "x-sent": "é" });
    assertEquals([get.status, get.body], [201, "GET https: /page "]);
    assertEquals([get.headers["x-seen"], get.headers.connection], ["é", undefined]);
    assertEquals(get.headers["keep-alive"], undefined);
    const post = { ":path": "/post", ":method": "POST" };
    assertEquals((await ask(session, post, ["one, ", "two"])).body, "POST https: /post one, two");
    const sized = { ...post, "content-length": "3" };
    assertEquals((await ask(session, sized, ["abc"])).body, "POST https: /post abc");
    assertEquals((await ask(session, post, [])).body, "POST https: /post ");
    const head = await ask(session, { ":path": "/page", ":method": "HEAD" });
    assertEquals([head.status, head.body, head.headers["content-length"]], [201, "", undefined]);
    assertEquals((await ask(session, { ":path": "/stream" })).body, "piece 0;piece 1;piece 2;");
    const failed = await ask(session, { ":path": "/throw" });
    assertEquals([failed.status, failed.body], [500, "internal error\n"]);
    await echo(listening.url, { http2: session });
    const large = "x".repeat(2 * 1024 * 1024);
    assertEquals((await ask(session, post, [large])).status, 413);
    assertEquals(listening.logged.length, 1);
    await until(() => listening.app.stats().sockets === 1, "the end of all streams");
  });

  test("refuses as on HTTP/1.1 without the setting fetch", async () => {
    await using listening = await Listening.start();
    const session = await listening.session();
    assertEquals((await ask(session, { ":path": "/nowhere" })).status, 404);
    assertEquals((await ask(session, { ":path": "/ws" })).status, 426);
    assertEquals((await ask(session, { ":method": "CONNECT", ":authority": "a:1" })).status, 400);
    const udp = handshake("/ws", { ":protocol": "connect-udp" });
    assertEquals((await ask(session, udp)).status, 501);
    assertEquals(listening.logged, []);
  });

  test("counts a session as a connection while it has no stream, and closes it in time", async () => {
    const clock = new FakeClock();
    await using listening = await Listening.start({ clock, maxConnections: 1, pingInterval: 0 });
    const http2 = await listening.session();
    const sockets = () => listening.app.stats().sockets;
    assertEquals(sockets(), 1);
    const open = await websocketConnect(listening.url, { http2 });
    assertEquals(sockets(), 1);
    await assertRejects(() => websocketConnect(listening.url, { http2 }), Error, "503");
    await clock.advance(60_000);
    await open.writeMessage("still here");
    assertEquals(await open.readMessage(), "still here");
    open.close();
    await open.closed;
    await until(() => sockets() === 1 && listening.app.stats().connections.open === 0, "the end");
    await untilClosed(http2, clock);
    await until(() => sockets() === 0, "the end of the session");
    // One that never opens a stream has handshakeTimeout.
    const idle = await listening.session();
    assertEquals(sockets(), 1);
    await untilClosed(idle, clock);
    await until(() => sockets() === 0, "the end of the idle session");
  });

  test("closes sessions whose client says nothing, or does not end", async () => {
    const clock = new FakeClock();
    await using listening = await Listening.start({ clock, pingInterval: 0 });
    const sockets = () => listening.app.stats().sockets;
    const preface = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
    for (const bytes of [[], [preface], [preface, settings]]) {
      const socket = connectTls({
        host: "127.0.0.1",
        servername: "localhost",
        port: listening.server.addr.port,
        ca: credentials.cert,
        ALPNProtocols: ["h2"],
        // The types do not have it.
        ...{ allowHalfOpen: true },
      });
      socket.on("error", () => {});
      await once(socket, "secureConnect");
      for (const piece of bytes) socket.write(piece);
      await until(() => sockets() === 1, "the session");
      // First the session's time passes. The client reads GOAWAY and FIN, and answers neither. A busy machine
      // may set each timer late.
      for (let i = 0; i < 2000 && sockets() > 0; i++) {
        await clock.advance(1000);
        await new Promise((next) => setTimeout(next, 1));
      }
      assertEquals(sockets(), 0);
      socket.destroy();
    }
  });

  test("shuts down WebSockets with 1001, and sessions after them", async () => {
    await using listening = await Listening.start();
    const http2 = await listening.session();
    const idle = await listening.session();
    const gone = [http2, idle].map((session) =>
      new Promise((resolve) => session.once("close", resolve))
    );
    const open = await websocketConnect(listening.url, { http2 });
    const done = listening.server.shutdown();
    assertEquals(await open.readMessage(), undefined);
    assertEquals(open.closeCode, 1001);
    await done;
    await Promise.all(gone);
    assertEquals(listening.app.stats().sockets, 0);
  });

  test("needs a certificate, and an application", () => {
    const app = new Application([]);
    assertThrows(
      () => app.listen({ port: 0, http2: true }),
      TypeError,
      "Cannot listen: http2 needs cert and key",
    );
    assertThrows(() => app.listen({ port: 0, http2: 1 as never }), TypeError, "http2");
    // Who accepts transports has no use for sessions.
    const adapter = () => listenWithNode({ http2: true, ...credentials }, () => {});
    assertThrows(adapter, TypeError, "it has no option http2; use Application.listen");
  });
});
