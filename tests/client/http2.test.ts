import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { type ConnectOptions, HandshakeError, websocketConnect } from "../../src/client/mod.ts";
import { FakeClock } from "../../src/testing/mod.ts";

/** What a server does with a stream. */
type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server, and one session with it. */
interface Pair {
  readonly server: Http2Server;
  readonly session: ClientHttp2Session;
  readonly url: string;
  /** The server's end of the session. */
  readonly far: Promise<ServerHttp2Session>;
}

/** Runs `body` with a server that answers, and ends all. */
async function serving(
  answer: Answer,
  body: (pair: Pair) => Promise<void>,
  settings: Settings = { enableConnectProtocol: true },
): Promise<void> {
  const server = createServer({ settings });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    answer(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const far = once(server, "session").then(([session]) => session as ServerHttp2Session);
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  try {
    await body({ server, session, url: `ws://127.0.0.1:${port}/chat?x=1`, far });
  } finally {
    session.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Connects, and returns the error. */
async function refused(url: string, options: ConnectOptions): Promise<Error> {
  return await assertRejects(() => websocketConnect(url, options), Error);
}

/** A frame of text, as a server sends it. */
function text(message: string): Uint8Array {
  return Uint8Array.of(0x81, message.length, ...new TextEncoder().encode(message));
}

describe("a client on a stream of HTTP/2", () => {
  test("sends an extended CONNECT, and takes 200 as the agreement", async () => {
    let sent: IncomingHttpHeaders = {};
    await serving((stream, headers) => {
      sent = headers;
      stream.respond({ ":status": 200, "sec-websocket-protocol": "b", "x-answer": "é" });
      // Data right behind the response must not be lost.
      stream.write(text("Hello"));
    }, async ({ session, url }) => {
      await using connection = await websocketConnect(url, {
        http2: session,
        subprotocols: ["a", "b"],
        origin: "https://page.example",
        compression: {},
        headers: { Cookie: "a=1", Host: "name.example" },
      });
      assertEquals(connection.selectedSubprotocol, "b");
      assertEquals(connection.headers.get("x-answer"), "é");
      assertEquals(await connection.readMessage(), "Hello");
      connection.abort();
    });
    assertEquals(Object.fromEntries(Object.entries(sent)), {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":authority": "name.example",
      ":path": "/chat?x=1",
      "sec-websocket-version": "13",
      "origin": "https://page.example",
      "sec-websocket-protocol": "a, b",
      "sec-websocket-extensions":
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "cookie": "a=1",
    });
  });

  test("waits for SETTINGS, also for those that come later", async () => {
    await serving((stream) => stream.respond({ ":status": 200 }), async ({ session, url, far }) => {
      // The session is connecting: nothing has arrived.
      const first = await websocketConnect(url, { http2: session });
      first.abort();
      // A session that knows its server is used at once, and by many.
      const all = Array.from({ length: 20 }, () => websocketConnect(url, { http2: session }));
      for (const connection of await Promise.all(all)) connection.abort();
      assert(!(await far).destroyed);
    });
    await serving((stream) => stream.respond({ ":status": 200 }), async (pair) => {
      const { session, url } = pair;
      // More at a time than there may be PINGs.
      const all = Array.from({ length: 20 }, () => refused(url, { http2: session }));
      for (const error of await Promise.all(all)) {
        assertInstanceOf(error, HandshakeError);
        assertEquals(
          error.message,
          `Cannot connect to ${url}: extended CONNECT is not possible: ` +
            "the server has not enabled it (RFC 8441 §3)",
        );
      }
      const enabled = once(session, "remoteSettings");
      (await pair.far).settings({ enableConnectProtocol: true });
      await enabled;
      (await websocketConnect(url, { http2: session })).abort();
    }, {});
  });

  test("tells the status, fields and body of a refusal", async () => {
    for (const length of [{}, { "content-length": "8" }]) {
      await serving((stream) => {
        stream.respond({ ":status": 403, "x-reason": "origin", ...length });
        stream.end("not here");
      }, async ({ session, url }) => {
        const error = await refused(url, { http2: session });
        assertInstanceOf(error, HandshakeError);
        assertEquals(
          error.message,
          `Cannot connect to ${url}: the status must be 2xx, got "HTTP/2.0 403": "not here"`,
        );
        assertEquals([error.status, error.body], [403, "not here"]);
        assertEquals(error.headers.get("x-reason"), "origin");
        assert(!session.destroyed);
      });
    }
  });

  test("reads no more of a refusal than maxBodySize", async () => {
    const closed = Promise.withResolvers<void>();
    await serving((stream) => {
      stream.respond({ ":status": 500 });
      stream.write("0123456789");
      stream.on("close", () => closed.resolve());
    }, async ({ session, url }) => {
      const error = await refused(url, { http2: session, maxBodySize: 5 });
      assertInstanceOf(error, HandshakeError);
      assertEquals([error.status, error.body], [500, "01234"]);
      await closed.promise;
    });
  });

  test("refuses what breaks the rules, and resets the stream", async () => {
    const rows: readonly [Record<string, string>, ConnectOptions, string][] = [
      [
        { "sec-websocket-protocol": "c" },
        { subprotocols: ["a"] },
        'Sec-WebSocket-Protocol must be one of a, got "c" (RFC 6455 §4.1)',
      ],
      [
        { "sec-websocket-extensions": "permessage-deflate" },
        {},
        "must not be sent if no extension was offered",
      ],
      [{ "x-long": "x".repeat(300) }, { maxHeaderSize: 200 }, "maxHeaderSize (200 bytes)"],
    ];
    for (const [fields, options, because] of rows) {
      const code = Promise.withResolvers<number | undefined>();
      await serving((stream) => {
        stream.on("close", () => code.resolve(stream.rstCode));
        stream.respond({ ":status": 200, ...fields });
      }, async ({ session, url }) => {
        const error = await refused(url, { http2: session, ...options });
        assertInstanceOf(error, HandshakeError);
        assert(error.message.includes(because), error.message);
        assertEquals(await code.promise, 8);
        assert(!session.destroyed);
      });
    }
  });

  test("tells the code of a reset", async () => {
    await serving((stream) => stream.close(7), async ({ session, url }) => {
      const error = await refused(url, { http2: session });
      assertInstanceOf(error, HandshakeError);
      assert(error.message.includes("REFUSED_STREAM"), error.message);
    });
  });

  test("is refused when the session ends, before and after SETTINGS", async () => {
    await serving(() => {}, async ({ session, url }) => {
      const waiting = refused(url, { http2: session });
      session.destroy();
      assertInstanceOf(await waiting, HandshakeError);
      assertInstanceOf(await refused(url, { http2: session }), HandshakeError);
    });
    await serving((stream) => stream.session?.destroy(), async ({ session, url }) => {
      assertInstanceOf(await refused(url, { http2: session }), HandshakeError);
    });
    await serving((stream) => stream.respond({ ":status": 200 }), async ({ session, url, far }) => {
      const open = await websocketConnect(url, { http2: session });
      const goaway = once(session, "goaway");
      (await far).goaway();
      await goaway;
      const error = await refused(url, { http2: session });
      assertInstanceOf(error, HandshakeError);
      assertEquals(open.ended, undefined, "the open socket goes on");
      open.abort();
    });
  });

  test("is refused when there is no connection, without an error of the process", async () => {
    const session = connect("http://127.0.0.1:1");
    const error = await refused("ws://127.0.0.1:1/", { http2: session });
    assertInstanceOf(error, HandshakeError);
    assert(error.message.includes("ECONNREFUSED"), error.message);
  });

  test("obeys its signal and handshakeTimeout, and resets the stream", async () => {
    for (const how of ["signal", "timeout"]) {
      const arrived = Promise.withResolvers<void>();
      const code = Promise.withResolvers<number | undefined>();
      await serving((stream) => {
        stream.on("close", () => code.resolve(stream.rstCode));
        arrived.resolve();
      }, async ({ session, url }) => {
        const clock = new FakeClock();
        const abort = new AbortController();
        const waiting = refused(url, { http2: session, clock, signal: abort.signal });
        await arrived.promise;
        if (how === "signal") abort.abort(new Error("enough"));
        else clock.advance(10_000);
        const expected = how === "signal"
          ? "enough"
          : `Cannot connect to ${url}: no response within handshakeTimeout (10000 ms)`;
        assertEquals((await waiting).message, expected);
        assertEquals(await code.promise, 8);
      });
    }
  });

  test("does not speak another version, or over another connection", async () => {
    await serving((stream) => stream.respond({ ":status": 200 }), async ({ session, url }) => {
      const rows: readonly [ConnectOptions, string][] = [
        [{ version: "draft76" }, 'Cannot speak version "draft76" over HTTP/2: only rfc6455'],
        [{ path: "/tmp/x" }, "Cannot use path: http2 is a connection already"],
        [{ tls: {} }, "Cannot use tls: http2 is a connection already"],
      ];
      for (const [options, message] of rows) {
        const error = await refused(url, { http2: session, ...options });
        assertInstanceOf(error, TypeError);
        assert(error.message.startsWith(message), error.message);
      }
      const wrong = { http2: {} } as unknown as ConnectOptions;
      assertInstanceOf(await refused(url, wrong), TypeError);
      const secure = url.replace("ws:", "wss:");
      assertEquals(
        (await refused(secure, { http2: session })).message,
        `Cannot connect to ${secure}: the HTTP/2 session is not over TLS`,
      );
    });
  });
});
