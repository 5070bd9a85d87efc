import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { HttpError, WebSocketClosedError, WebSocketHandler } from "../../mod.ts";
import { HandshakeError } from "../../src/client/mod.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { sameBytes } from "../support/bytes.ts";
import { handshake, Http2Rig } from "./rig.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** Keeps what its connections went through. */
class Recorded extends WebSocketHandler<{ events: string[] }, { room: string }> {
  override prepare(): void {
    const { name } = this.params as { name?: string };
    if (name === "closed") throw new HttpError(403, "closed", { "X-Reason": "party" });
    this.setHeader("Set-Cookie", "a=1");
    this.setHeader("Set-Cookie", "b=2");
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.find((name) => name === "chat");
  }
  override open(): void {
    this.options.events.push("open");
  }
  onMessage(message: string | Uint8Array): void {
    this.options.events.push(`message ${message}`);
    if (message === "close") this.close(4000, "as asked");
    if (message === "throw") throw new Error("on purpose");
    if (message === "abort") this.abort();
  }
  override onClose(): void {
    this.options.events.push(`close ${this.closeCode} ${this.closeReason}`);
  }
}

describe("a WebSocket on a stream of HTTP/2", () => {
  test("carries messages of every size, many on one session", async () => {
    await using rig = await Http2Rig.start([["/", Echo]]);
    const session = await rig.session();
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => rig.open("/", { http2: session })),
    );
    const sizes = [0, 1, 125, 126, 1000, 16_384, 65_535, 65_536, 300_000];
    for (const size of sizes) {
      const binary = new Uint8Array(size).map((_, i) => i * 7);
      const text = "é".repeat(size);
      await Promise.all(clients.map(async (client) => {
        await client.writeMessage(text);
        assert(await client.readMessage() === text, `${size} characters`);
        await client.writeMessage(binary);
        const answer = await client.readMessage();
        assertInstanceOf(answer, Uint8Array);
        assert(sameBytes(answer, binary), `${size} bytes`);
      }));
    }
    assertEquals([rig.sessions.length, rig.streams.length], [1, 20]);
    for (const client of clients) client.close(1000);
    for (const client of clients) await client.closed;
    assertEquals(clients.map(({ closeCode }) => closeCode), clients.map(() => 1000));
    await until(() => rig.app.stats().sockets === 0);
    assert(!session.destroyed, "the session stays open");
  });

  test("compresses, and has subprotocols, fields and the rest of a handshake", async () => {
    const events: string[] = [];
    class Talk extends Recorded {
      override getCompressionOptions() {
        return {};
      }
      override open(): void {
        const { remoteAddress, localAddress, secure, version } = this.connection;
        const { url, method, headers } = this.request;
        this.writeMessage({
          method,
          url: new URL(url).pathname,
          host: headers.get("host"),
          cookie: this.getCookie("session"),
          argument: this.getArgument("x"),
          params: this.params,
          ends: [remoteAddress.hostname, localAddress.port === rig.port, secure, version],
        });
      }
    }
    await using rig = await Http2Rig.start([["/rooms/:room", Talk, { events }]]);
    const client = await rig.open("/rooms/a%20b?x=1", {
      subprotocols: ["other", "chat"],
      compression: {},
      headers: { Cookie: "session=abc" },
    });
    assertEquals(client.selectedSubprotocol, "chat");
    assertEquals(client.headers.getSetCookie(), ["a=1", "b=2"]);
    assert(client.headers.get("sec-websocket-extensions")?.startsWith("permessage-deflate"));
    assertEquals(client.headers.get("sec-websocket-accept"), null);
    assertEquals(JSON.parse(await client.readMessage() as string), {
      method: "GET",
      url: "/rooms/a%20b",
      host: `127.0.0.1:${rig.port}`,
      cookie: "abc",
      argument: "1",
      params: { room: "a b" },
      ends: ["127.0.0.1", true, false, "rfc6455"],
    });
    client.close();
    await client.closed;
  });

  test("ends as over TCP: END_STREAM after the closing handshake, from either end", async () => {
    const events: string[] = [];
    await using rig = await Http2Rig.start([["/:room", Recorded, { events }]]);
    const http2 = await rig.session();
    const ours = await rig.open("/a", { http2 });
    ours.close(4001, "bye");
    await ours.closed;
    assertEquals([ours.closeCode, events.splice(0)], [4001, ["open", "close 4001 bye"]]);

    const theirs = await rig.open("/b", { http2 });
    await theirs.writeMessage("close");
    assertEquals(await theirs.readMessage(), undefined);
    await theirs.closed;
    assertEquals([theirs.closeCode, theirs.closeReason], [4000, "as asked"]);
    assertEquals(events.splice(0), ["open", "message close", "close 4000 as asked"]);

    const failing = await rig.open("/c", { http2 });
    await failing.writeMessage("throw");
    await failing.closed;
    assertEquals(failing.closeCode, 1011);
    // Both ends have sent END_STREAM, and nobody has reset a stream.
    await until(() => rig.streams.every(({ destroyed }) => destroyed));
    assertEquals(rig.streams.map(({ rstCode, aborted }) => [rstCode ?? 0, aborted]), [
      [0, false],
      [0, false],
      [0, false],
    ]);
  });

  test("resets with CANCEL what ends without a closing handshake", async () => {
    const events: string[] = [];
    await using rig = await Http2Rig.start([["/:room", Recorded, { events }]]);
    const http2 = await rig.session();
    const stream = http2.request(handshake("/a"));
    stream.on("error", () => {});
    // The text "abort", with a masking key of zeros.
    stream.write(Uint8Array.of(0x81, 0x85, 0, 0, 0, 0, ...new TextEncoder().encode("abort")));
    await new Promise((resolve) => stream.on("close", resolve));
    assertEquals(stream.rstCode, 8);
    const theirs = await rig.open("/a", { http2 });
    await theirs.writeMessage("abort");
    await assertRejects(() => theirs.readMessage(), WebSocketClosedError);
    await theirs.closed;
    const ours = await rig.open("/b", { http2 });
    const gone = new Promise((resolve) => rig.streams[2]?.on("close", resolve));
    ours.abort();
    await gone;
    await ours.closed;
    await until(() => rig.app.stats().sockets === 0);
    assert(events.includes("close undefined "), events.join("; "));
  });

  test("refuses with a response on the stream, and leaves the session alone", async () => {
    const events: string[] = [];
    await using rig = await Http2Rig.start([["/rooms/:name", Recorded, { events }]], {
      allowedOrigins: ["https://good.example"],
      allowedHosts: ["127.0.0.1"],
    });
    const session = await rig.session();
    const rows: readonly [Record<string, string>, status: number, body: string][] = [
      [{ ":path": "/rooms/closed" }, 403, "closed"],
      [{ origin: "https://bad.example" }, 403, 'the origin "https://bad.example" may not connect'],
      [{ ":authority": "other.example" }, 421, ""],
      [{ "sec-websocket-version": "8" }, 400, "Sec-WebSocket-Version must be sent once, and be 13"],
      [{ "sec-websocket-protocol": "a b" }, 400, "Sec-WebSocket-Protocol must be a list of tokens"],
      [{ "sec-websocket-extensions": ";" }, 400, "Sec-WebSocket-Extensions"],
      [{ ":path": "/rooms/%ff" }, 400, "the path is not well-formed percent-encoding"],
      [{ ":path": "/elsewhere" }, 404, ""],
    ];
    for (const [fields, status, body] of rows) {
      const response = await rig.request(handshake("/rooms/open", fields), session);
      assertEquals(response.status, status, JSON.stringify(fields));
      assert(response.body.includes(body), response.body);
      assertEquals([response.headers.connection, response.code], [undefined, 0]);
      if (status !== 404) {
        assertEquals(response.headers["content-type"], "text/plain; charset=utf-8");
        assertEquals(response.headers["content-length"], `${response.body.length}`);
      }
    }
    const version = await rig.request(handshake("/rooms/a", { "sec-websocket-version": "14" }));
    assertEquals(version.headers["sec-websocket-version"], "13");
    const error = await rig.open("/rooms/closed", { http2: session }).catch((error) => error);
    assertInstanceOf(error, HandshakeError);
    assertEquals([error.status, error.body, error.headers.get("x-reason")], [
      403,
      "closed\n",
      "party",
    ]);
    assertEquals(events, []);
    await until(() => rig.app.stats().sockets === 0);
    (await rig.open("/rooms/a", { http2: session, origin: "https://good.example" })).abort();
  });

  test("counts streams as connections", async () => {
    await using rig = await Http2Rig.start([["/", Echo]], {
      maxConnections: 3,
      maxConnectionsPerAddress: 2,
    });
    const http2 = await rig.session();
    const open = [await rig.open("/", { http2 }), await rig.open("/", { http2 })];
    const error = await rig.open("/", { http2 }).catch((error) => error);
    assertInstanceOf(error, HandshakeError);
    assertEquals(
      [error.status, error.body],
      [503, "too many connections (maxConnectionsPerAddress)\n"],
    );
    assertEquals(rig.app.stats().sockets, 2);
    open[0]?.close();
    await open[0]?.closed;
    await until(() => rig.app.stats().sockets === 1);
    (await rig.open("/", { http2 })).abort();
  });

  test("waits for prepare(), and refuses when it fails or takes too long", async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    class Slow extends Echo {
      override prepare(): Promise<void> {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        return gate.promise;
      }
    }
    const clock = new FakeClock();
    await using rig = await Http2Rig.start([["/", Slow]], { clock, handshakeTimeout: 1000 });
    const http2 = await rig.session();
    const late = rig.open("/", { http2 }).catch((error) => error);
    await until(() => gates.length === 1);
    await clock.advance(1100);
    const error = await late;
    assertEquals([error.status, error.body], [503, "prepare() took too long\n"]);
    const accepted = rig.open("/", { http2 });
    await until(() => gates.length === 2);
    gates[1]?.resolve();
    const client = await accepted;
    await client.writeMessage("Hello");
    assertEquals(await client.readMessage(), "Hello");
    const failing = rig.open("/", { http2 }).catch((error) => error);
    await until(() => gates.length === 3);
    gates[2]?.reject(new Error("on purpose"));
    assertEquals((await failing).status, 500);
    client.abort();
  });

  test("leaves streams alone that are not its own", async () => {
    const returned: boolean[] = [];
    await using rig = await Http2Rig.start([["/", Echo]], {}, ({ app }, stream, headers) => {
      stream.on("error", () => {});
      returned.push(app.handleStream(stream, headers));
      if (!returned.at(-1)) stream.respond({ ":status": 299 }, { endStream: true });
    });
    const session = await rig.session();
    const rows = [
      handshake("/elsewhere"),
      handshake("/", { ":protocol": "connect-udp" }),
      { ":method": "CONNECT", ":authority": "a:1" },
      { ":path": "/" },
    ];
    for (const fields of rows) {
      assertEquals((await rig.request(fields, session)).status, 299);
    }
    assertEquals(returned, [false, false, false, false]);
    assertEquals(rig.app.stats().sockets, 0);
  });

  test("refuses arguments that are no stream, or a stream that was answered", async () => {
    const errors: unknown[] = [];
    await using rig = await Http2Rig.start([["/", Echo]], {}, ({ app }, stream, headers) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200 });
      for (const wrong of [{}, null, undefined]) {
        try {
          app.handleStream(wrong as never, headers);
        } catch (error) {
          errors.push(error);
        }
      }
      try {
        app.handleStream(stream, headers);
      } catch (error) {
        errors.push(error);
      }
      stream.end();
    });
    await rig.request(handshake());
    assertEquals(errors.length, 4);
    for (const error of errors) assertInstanceOf(error, TypeError);
    assertEquals(
      (errors[3] as Error).message,
      "Cannot handle the stream: it was answered already",
    );
  });
});

async function until(reached: () => boolean): Promise<void> {
  for (let i = 0; i < 60_000 && !reached(); i++) await new Promise((next) => setTimeout(next, 1));
  assert(reached());
}
