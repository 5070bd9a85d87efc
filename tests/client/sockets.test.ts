import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import {
  type ConnectOptions,
  HandshakeError,
  ProtocolError,
  websocketConnect,
} from "../../src/client/mod.ts";
import { Application, type ListenOptions, WebSocketHandler } from "../../mod.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { nodeTransport } from "../../src/transport/node.ts";
import { arrival } from "../support/arrival.ts";
import { runtime } from "../support/runtime.ts";
import { credentials } from "../transport/links.ts";
import { bytesOf, goodAnswer, parseRequest, VERSIONS } from "../handshake/good_server.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const app = new Application([["/echo", Echo]], { versions: VERSIONS });

/** Runs `body` with the port of an echo server. */
async function serving(
  options: ListenOptions,
  body: (port: number) => Promise<void>,
): Promise<void> {
  await using server = app.listen({ hostname: "127.0.0.1", port: 0, ...options });
  await server.listening;
  await body(server.addr.port);
}

async function echo(url: string, options: ConnectOptions): Promise<void> {
  await using connection = await websocketConnect(url, options);
  await connection.writeMessage("Hello");
  assertEquals(await connection.readMessage(), "Hello");
}

/** A server that sends exactly the bytes of a test. It knows whether all its sockets are closed. */
class Liar {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #empty: () => void = () => {};

  constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (this.#sockets.size === 0) this.#empty();
      });
      serve(socket);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return `ws://127.0.0.1:${address && typeof address === "object" ? address.port : 0}/`;
  }

  /** Closes what the client has closed. Resolves when no socket is open. */
  async left(): Promise<void> {
    for (const socket of this.#sockets) {
      if (socket.readableEnded) socket.end();
      else socket.resume().on("end", () => socket.end());
    }
    if (this.#sockets.size > 0) await new Promise<void>((resolve) => this.#empty = resolve);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Runs `body` with the URL of a server, and checks that no connection is open at the end. */
async function lying(
  serve: (socket: Socket) => void,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const liar = new Liar(serve);
  try {
    await body(await liar.listen());
    await liar.left();
  } finally {
    await liar.close();
  }
}

/** Sends a correct response to an opening handshake of RFC 6455, followed by bytes. */
function opens(socket: Socket, behind: string): void {
  socket.once("data", (request: Uint8Array) => {
    socket.write(bytesOf(goodAnswer("rfc6455", parseRequest(request)) + behind));
  });
}

/** Serves a connection, and tells when all has been sent. */
type Stops = (socket: Socket, sent: () => void) => void;

/** The time that a client waits, in milliseconds. It passes once the server has stopped. */
const PATIENCE = 1000;

/** The error of a client that waits for more than a server has sent. */
async function stopped(
  url: string,
  sent: Promise<void>,
  options: ConnectOptions = {},
): Promise<HandshakeError> {
  const clock = new FakeClock();
  const failing = assertRejects(
    () => websocketConnect(url, { ...options, clock, handshakeTimeout: PATIENCE }),
    HandshakeError,
  );
  await sent;
  await arrival();
  await clock.advance(PATIENCE + 100);
  return await failing;
}

/** Connects to a server that stops, and checks the error and that no connection is open at the end. */
async function stops(
  serve: Stops,
  says: string,
  options: ConnectOptions = {},
): Promise<void> {
  const sent = Promise.withResolvers<void>();
  await lying((socket) => serve(socket, sent.resolve), async (url) => {
    const { message } = await stopped(url, sent.promise, options);
    assertStringIncludes(message, says);
  });
}

/** Sends bytes when the request has come, and then nothing more. */
function sends(bytes: string): Stops {
  return (socket, sent) => socket.once("data", () => socket.resume().write(bytes, () => sent()));
}

describe("a client connects", () => {
  for (const version of VERSIONS) {
    test(`by TCP (${version})`, () =>
      serving({}, (port) => echo(`ws://127.0.0.1:${port}/echo`, { version })));
  }

  test("to a name", () =>
    serving({ hostname: "localhost" }, (port) => echo(`ws://localhost:${port}/echo`, {})));

  test("by IPv6", async () => {
    await using server = app.listen({ hostname: "::1", port: 0 });
    try {
      await server.listening;
    } catch {
      return; // This machine has no IPv6.
    }
    await echo(`ws://[::1]:${server.addr.port}/echo`, {});
  });

  test("by a unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
    try {
      const path = join(folder, "socket");
      await using server = app.listen({ path });
      await server.listening;
      await echo("ws://example.com/echo", { path });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  for (const version of VERSIONS) {
    test(`by TLS (${version})`, () =>
      serving(credentials, async (port) => {
        const ca = credentials.cert;
        await echo(`wss://localhost:${port}/echo`, { version, tls: { ca } });
      }));
  }

  test("by TLS with any certificate, with another name, and with a certificate of its own", () =>
    serving(credentials, async (port) => {
      const { cert, key } = credentials;
      await echo(`wss://127.0.0.1:${port}/echo`, { tls: { insecure: true } });
      const url = `wss://127.0.0.1:${port}/echo`;
      await echo(url, { tls: { ca: cert, serverName: "localhost" } });
      await echo(url, { tls: { ca: cert, cert, key } });
      await echo(url, { tls: { ca: cert, cert, key, serverName: "localhost" } });
    }));

  test("by TLS on a unix socket, to the name in the URL", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-"));
    const path = join(folder, "socket");
    const server = createTlsServer(credentials, (socket) => app.accept(nodeTransport(socket)));
    try {
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const tls = { ca: credentials.cert };
      await echo("wss://localhost/echo", { path, tls });
      const connecting = () => websocketConnect("wss://example.com/echo", { path, tls });
      await assertRejects(connecting, HandshakeError);
    } finally {
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true });
    }
  });

  test("and sends more than fits into the buffers of the system, in both directions", () =>
    serving({}, async (port) => {
      await using connection = await websocketConnect(`ws://127.0.0.1:${port}/echo`);
      const message = "x".repeat(1_000_000);
      const writing = (async () => {
        for (let i = 0; i < 20; i++) await connection.writeMessage(`${i} ${message}`);
      })();
      for (let i = 0; i < 20; i++) {
        const echoed = await connection.readMessage();
        assert(echoed === `${i} ${message}`, `message ${i}`);
      }
      await writing;
    }));
});

describe("a client does not connect", () => {
  test("if nothing listens", async () => {
    const url = "ws://127.0.0.1:1/";
    const error = await assertRejects(() => websocketConnect(url), HandshakeError, url);
    assertEquals((error.cause as { code?: string }).code, "ECONNREFUSED");
  });

  test("to an unknown name", async () => {
    const url = "ws://nonexistent.invalid/";
    // How long a resolver takes depends on the network.
    const connecting = () => websocketConnect(url, { handshakeTimeout: 0 });
    const error = await assertRejects(connecting, HandshakeError, url);
    assert(error.cause instanceof Error);
  });

  test("to an unknown path", async () => {
    const connecting = () => websocketConnect("ws://a/", { path: "/nonexistent/socket" });
    const error = await assertRejects(connecting, HandshakeError, "ws://a/");
    assertEquals((error.cause as { code?: string }).code, "ENOENT");
  });

  const untrusted: readonly (readonly [what: string, tls: ConnectOptions["tls"]])[] = [
    ["that nobody has signed", {}],
    ["of another name", { ca: credentials.cert, serverName: "example.com" }],
  ];
  for (const [what, tls] of untrusted) {
    test(`with a certificate that is ${what}`, () =>
      serving({ ...credentials, onError() {} }, async (port) => {
        const connecting = () =>
          websocketConnect(`wss://localhost:${port}/echo`, tls === undefined ? {} : { tls });
        const error = await assertRejects(connecting, HandshakeError, "wss://localhost:");
        assert(error.cause instanceof Error);
      }));
  }

  test("by TLS to a server without TLS", () =>
    lying(
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 \r\n\r\n")),
      async (url) => {
        const connecting = () => websocketConnect(url.replace("ws:", "wss:"));
        await assertRejects(connecting, HandshakeError);
      },
    ));

  test("by TLS to a server that closes at once", () =>
    lying((socket) => socket.resume().end(), async (url) => {
      const connecting = () => websocketConnect(url.replace("ws:", "wss:"));
      await assertRejects(connecting, HandshakeError);
    }));

  test("by TLS to a server that sends nothing", async () => {
    const asked = Promise.withResolvers<void>();
    // After a timeout, Deno keeps the socket of a TLS handshake open until the server closes it.
    const liar = new Liar((socket) => socket.once("data", () => asked.resolve()));
    try {
      const url = (await liar.listen()).replace("ws:", "wss:");
      const { message } = await stopped(url, asked.promise);
      assertStringIncludes(message, "no connection within handshakeTimeout (1000 ms)");
      if (runtime !== "deno") await liar.left();
    } finally {
      await liar.close();
    }
  });
});

describe("a client gives up", () => {
  for (const version of VERSIONS) {
    test(`on a server that sends nothing (${version})`, () =>
      stops(
        sends(""),
        "no complete response within handshakeTimeout (1000 ms), got 0 bytes",
        { version },
      ));
  }

  test("on a server that stops in the middle of the response", () =>
    stops(sends("HTTP/1.1 101 Sw"), "got 15 bytes"));

  test("on a server that stops before the challenge response", () =>
    stops(
      (socket, sent) => {
        socket.once("data", (request: Uint8Array) => {
          const answer = goodAnswer("draft76", parseRequest(request));
          socket.write(bytesOf(answer.slice(0, -1)), () => sent());
        });
      },
      "no complete challenge response within",
      { version: "draft76" },
    ));

  test("on a server that stops in the body of its refusal, and reports the received part", async () => {
    const sent = Promise.withResolvers<void>();
    const serve = sends("HTTP/1.1 503 \r\n\r\nwait");
    await lying((socket) => serve(socket, sent.resolve), async (url) => {
      const { status, body, message } = await stopped(url, sent.promise);
      assertStringIncludes(message, `"wait"`);
      assertEquals([status, body], [503, "wait"]);
    });
  });

  test("on a server that sends interim responses for ever", () =>
    stops((socket, sent) => {
      const inform = setInterval(() => socket.write("HTTP/1.1 100 \r\n\r\n", () => sent()), 1);
      socket.resume().on("close", () => clearInterval(inform)).on("end", () => {
        clearInterval(inform);
        socket.end();
      });
    }, "handshakeTimeout (1000 ms)"));

  test("on a server that sends an endless head", () =>
    lying((socket) => {
      const more = () => socket.write("a: b\r\n".repeat(1000), () => socket.writable && more());
      socket.resume().write("HTTP/1.1 101 \r\n");
      more();
    }, async (url) => {
      await assertRejects(
        () => websocketConnect(url),
        HandshakeError,
        "maxHeaderCount (100 fields)",
      );
    }));

  for (
    const [how, end] of [
      ["FIN", (socket: Socket) => socket.end()],
      ["a reset", (socket: Socket) => socket.resetAndDestroy()],
    ] as const
  ) {
    test(`on ${how} instead of a response`, () =>
      lying((socket) => socket.once("data", () => end(socket)), async (url) => {
        const connecting = () => websocketConnect(url);
        await assertRejects(connecting, HandshakeError, "before a complete response, got ");
      }));
  }

  test("when its signal aborts", () =>
    lying((socket) => socket.resume(), async (url) => {
      const controller = new AbortController();
      const connecting = websocketConnect(url, { signal: controller.signal });
      setTimeout(() => controller.abort(new RangeError("enough")), 20);
      await assertRejects(() => connecting, RangeError, "enough");
    }));

  test("when the signal of its request aborts", () =>
    lying((socket) => socket.resume(), async (url) => {
      const controller = new AbortController();
      const connecting = websocketConnect({ url, signal: controller.signal });
      setTimeout(() => controller.abort(), 20);
      const error = await assertRejects(() => connecting);
      assertEquals(error.name, "AbortError");
    }));

  test("at once if its signal has already aborted", async () => {
    const signal = AbortSignal.abort(new RangeError("enough"));
    await assertRejects(() => websocketConnect("ws://127.0.0.1:1/", { signal }), RangeError);
  });

  test("but not when its signal aborts after the connection is open", () =>
    serving({}, async (port) => {
      const controller = new AbortController();
      const { signal } = controller;
      await using connection = await websocketConnect(`ws://127.0.0.1:${port}/echo`, { signal });
      controller.abort();
      await connection.writeMessage("still here");
      assertEquals(await connection.readMessage(), "still here");
    }));
});

describe("a server that misbehaves after its handshake", () => {
  test("gets the reason in a close frame, and is closed", () =>
    lying((socket) => opens(socket, "\x81\x82\0\0\0\0hi"), async (url) => {
      const connection = await websocketConnect(url);
      await assertRejects(() => connection.readMessage(), ProtocolError, "must not be masked");
    }));

  test("is closed although it sends without end", () =>
    lying((socket) => {
      opens(socket, "\x81\x7f\0\0\0\x7f\xff\xff\xff\xff");
      socket.once("data", () => {
        const more = () => socket.write("x".repeat(65_536), () => socket.writable && more());
        more();
      });
    }, async (url) => {
      const connection = await websocketConnect(url, { closeTimeout: 100 });
      await assertRejects(() => connection.readMessage(), ProtocolError, "maxMessageSize");
      await connection.closed;
    }));

  test("is closed although it does nothing more", () =>
    lying((socket) => opens(socket, "\x83\x00"), async (url) => {
      const connection = await websocketConnect(url, { closeTimeout: 100 });
      await assertRejects(() => connection.readMessage(), ProtocolError, "opcodes 3 to 7");
      await connection.closed;
    }));

  test("is closed if it answers no ping", () =>
    lying((socket) => opens(socket, ""), async (url) => {
      const connection = await websocketConnect(url, { pingInterval: 30, pingTimeout: 60 });
      await assertRejects(() => connection.readMessage(), Error, "within pingTimeout (60 ms)");
      await connection.closed;
    }));
});
