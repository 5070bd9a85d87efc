import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { WebSocketHandler } from "../../mod.ts";
import { Http2Rig } from "./rig.ts";
import { END_STREAM, rawHandshake, RawSession, TYPES } from "./raw_session.ts";

/** Counts its connections, and echoes. */
class Echo extends WebSocketHandler<{ opened: number; closed: number }> {
  override open(): void {
    this.options.opened++;
  }
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
  override onClose(): void {
    this.options.closed++;
  }
}

interface Subject {
  readonly rig: Http2Rig;
  readonly session: RawSession;
  readonly counts: { opened: number; closed: number };
}

/**
 * Runs `body` with a raw session, beside a client on another session whose WebSocket must go on. At
 * the end nothing may be left of the raw session.
 */
async function disturbing(body: (subject: Subject) => Promise<void>): Promise<void> {
  const counts = { opened: 0, closed: 0 };
  await using rig = await Http2Rig.start([["/", Echo, counts]]);
  const witness = await rig.open();
  const session = await RawSession.connect(rig.port);
  await body({ rig, session, counts });
  await witness.writeMessage("still here");
  assertEquals(await witness.readMessage(), "still here");
  session.destroy();
  await until(() => rig.app.stats().sockets === 1, "the end of all sockets but one");
  await until(() => counts.closed === counts.opened - 1, "onClose() of all handlers but one");
  assertEquals(rig.logged, []);
  witness.abort();
}

async function until(reached: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 60_000 && !reached(); i++) await new Promise((next) => setTimeout(next, 1));
  assert(reached(), `Waited in vain for ${what}`);
}

/** Opens a WebSocket, and waits for the response. */
async function open(session: RawSession): Promise<number> {
  const stream = session.request(rawHandshake());
  await session.until(() => session.received(TYPES.headers, stream).length > 0);
  assertEquals(session.ended(stream), false);
  return stream;
}

/** A text frame of a client, with a masking key of zeros. */
function textFrame(text: string): Uint8Array {
  return Uint8Array.of(0x81, 0x80 | text.length, 0, 0, 0, 0, ...new TextEncoder().encode(text));
}

describe("a bad client of HTTP/2 is refused, and disturbs nobody", () => {
  test("data together with the handshake is no fault", () =>
    disturbing(async ({ session }) => {
      const stream = session.request(rawHandshake());
      session.send(TYPES.data, 0, stream, textFrame("Hello"));
      await session.until(() => session.data(stream).length === 7);
      assertEquals(session.data(stream).subarray(2), new TextEncoder().encode("Hello"));
    }));

  for (const code of [0, 1, 2, 5, 7, 8, 11, 99]) {
    test(`a reset with code ${code}`, () =>
      disturbing(async ({ rig, session, counts }) => {
        const stream = await open(session);
        session.reset(stream, code);
        await until(() => rig.app.stats().sockets === 1, "the end of the socket");
        assertEquals(counts.opened, 2);
        // The session goes on.
        const next = await open(session);
        session.send(TYPES.data, 0, next, textFrame("Hello"));
        await session.until(() => session.data(next).length === 7);
      }));
  }

  test("data after END_STREAM", () =>
    disturbing(async ({ session }) => {
      const stream = await open(session);
      session.send(TYPES.data, 0, stream, textFrame("before"));
      session.send(TYPES.data, END_STREAM, stream);
      session.send(TYPES.data, 0, stream, textFrame("after"));
      session.send(TYPES.data, END_STREAM, stream);
      await session.until(() => session.ended(stream));
      const text = new TextDecoder().decode(session.data(stream));
      assert(!text.includes("after"), text);
    }));

  test("END_STREAM with the request, which leaves nothing to say", () =>
    disturbing(async ({ session }) => {
      const stream = session.request(rawHandshake(), END_STREAM);
      await session.until(() => session.ended(stream));
    }));

  test("header fields on an open WebSocket", () =>
    disturbing(async ({ session }) => {
      const stream = await open(session);
      session.send(TYPES.headers, 0x4 | END_STREAM, stream, Uint8Array.of(0, 1, 0x61, 1, 0x62));
      await session.until(() => session.ended(stream));
    }));

  test("a flood of RST_STREAM", () =>
    disturbing(async ({ session }) => {
      for (let i = 0; i < 3000 && !session.closed; i++) {
        const stream = session.request(rawHandshake());
        session.reset(stream, 8);
        if (i % 100 === 0) await new Promise((next) => setImmediate(next));
      }
    }));

  test("a flood of streams that are never reset", () =>
    disturbing(async ({ rig, session }) => {
      for (let i = 0; i < 300; i++) session.request(rawHandshake());
      await until(() => rig.app.stats().sockets > 50 || session.closed, "sockets");
    }));

  const malformed: readonly [name: string, Record<string, string | undefined>][] = [
    ["no :path", { ":path": undefined }],
    ["no :scheme", { ":scheme": undefined }],
    ["no :authority", { ":authority": undefined }],
    ["no :method", { ":method": undefined }],
    ["a GET with :protocol", { ":method": "GET" }],
    ["a :path that is no path", { ":path": "a b" }],
    ["an unknown pseudo-header field", { ":what": "1" }],
    ["a connection field", { connection: "upgrade" }],
    ["an upgrade", { upgrade: "websocket" }],
    ["a name in upper case", { "X-Upper": "1" }],
    ["another :protocol", { ":protocol": "connect-udp" }],
    ["another version", { "sec-websocket-version": "8" }],
    ["no version", { "sec-websocket-version": undefined }],
  ];
  for (const [name, changes] of malformed) {
    test(`a request with ${name}`, () =>
      disturbing(async ({ session, counts }) => {
        const stream = session.request(rawHandshake(changes));
        await session.until(() => session.ended(stream));
        assertEquals(counts.opened, 1);
      }));
  }

  test("GOAWAY, after which its WebSockets go on", () =>
    disturbing(async ({ session }) => {
      const stream = await open(session);
      session.send(TYPES.goaway, 0, 0, new Uint8Array(8));
      session.send(TYPES.data, 0, stream, textFrame("Hello"));
      await session.until(() => session.data(stream).length === 7 || session.ended(stream));
    }));

  for (const resets of [false, true]) {
    test(`a connection that ends with 100 WebSockets open, by ${resets ? "reset" : "FIN"}`, () =>
      disturbing(async ({ rig, session, counts }) => {
        for (let i = 0; i < 100; i++) await open(session);
        assertEquals([rig.app.stats().sockets, counts.opened], [101, 101]);
        session.destroy(resets);
        await until(() => counts.closed === 100, "onClose() of all handlers");
      }));
  }

  test("a session that the server destroys with 100 WebSockets open", () =>
    disturbing(async ({ rig, session, counts }) => {
      for (let i = 0; i < 100; i++) await open(session);
      rig.sessions[1]?.destroy();
      await until(() => counts.closed === 100, "onClose() of all handlers");
      await session.until(() => session.closed);
    }));

  test("garbage instead of frames", () =>
    disturbing(async ({ session }) => {
      const stream = await open(session);
      session.send(0x55, 0xff, 0xffffffff, new Uint8Array(20_000));
      await session.until(() => session.ended(stream));
    }));
});
