import { assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { END_STREAM, rawHandshake, RawSession, TYPES } from "./raw_session.ts";

const credentials = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

class Unwilling extends WebSocketHandler {
  override prepare(): void {
    throw new Error("on purpose");
  }
  onMessage(): void {}
}

/** More than a stream takes at once, and more than the buffers of the system. */
const LARGE = 2 * 1024 * 1024;

/** The window of a client that reads slowly. */
const WINDOW = 65_535;

/** Lets a client ask a server that does not read bodies. */
async function withSession(
  body: (session: RawSession) => Promise<void>,
  window = 2 * LARGE,
): Promise<void> {
  const app = new Application([["/ws", Unwilling]], {
    log() {},
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      return new Response(pathname === "/large" ? new Uint8Array(LARGE) : "answer");
    },
  });
  await using server = app.listen({ port: 0, hostname: "127.0.0.1", http2: true, ...credentials });
  await server.listening;
  const session = await RawSession.connect(server.addr.port, [[4, window]], true);
  session.send(TYPES.windowUpdate, 0, 0, Uint8Array.of(2, 0, 0, 0));
  await body(session);
  session.destroy();
}

function request(path: string, more: Record<string, string | undefined> = {}) {
  return rawHandshake({
    ":method": "POST",
    ":protocol": undefined,
    ":path": path,
    "sec-websocket-version": undefined,
    ...more,
  });
}

/** The size of a response, and the code of the RST_STREAM behind it. */
async function answer(session: RawSession, stream: number) {
  await session.until(() => session.received(TYPES.reset, stream).length > 0);
  // The server may open the window again at any time.
  const frames = session.frames.filter((frame) =>
    frame.stream === stream && frame.type !== TYPES.windowUpdate
  );
  const isEnded = ((frames.at(-2)?.flags ?? 0) & END_STREAM) !== 0;
  return {
    size: session.size(stream),
    isEnded,
    code: frames.at(-1)?.payload.at(3),
  };
}

describe("a request that is answered before its end", () => {
  const rows:
    readonly (readonly [name: string, fields: ReturnType<typeof request>, size: number])[] = [
      ["a body of unknown length", request("/"), 6],
      ["a short body", request("/", { "content-length": "10" }), 6],
      ["a long body", request("/", { "content-length": "900000" }), 6],
      ["a long response", request("/large", { "content-length": "900000" }), LARGE],
      ["a body beyond maxBodySize", request("/", { "content-length": "9999999" }), 52],
      ["a refused WebSocket", rawHandshake({ ":path": "/ws" }), 15],
    ];
  for (const [name, fields, size] of rows) {
    test(`is not waited for, and no error: ${name}`, () =>
      withSession(async (session) => {
        const stream = session.request(fields);
        const head = Uint8Array.of(1, 2, 3);
        if (!name.includes("WebSocket")) session.send(TYPES.data, 0, stream, head);
        assertEquals(await answer(session, stream), { size, isEnded: true, code: 0 });
        // What was on its way is dropped, and the session goes on.
        session.send(TYPES.data, END_STREAM, stream, head);
        const next = session.request(request("/"), END_STREAM);
        await session.until(() => session.ended(next));
        assertEquals(session.received(TYPES.reset, next), []);
        assertEquals(session.data(next).length, 6);
      }));
  }

  test("gets the whole response, even if its windows are small", () =>
    withSession(async (session) => {
      const stream = session.request(request("/large", { "content-length": "900000" }));
      const more = Uint8Array.of(0, 0, WINDOW >> 8, WINDOW & 0xff);
      for (let received = 0; received + WINDOW < LARGE; received += WINDOW) {
        await session.until(() => session.size(stream) >= received + WINDOW);
        session.send(TYPES.windowUpdate, 0, stream, more);
      }
      assertEquals(await answer(session, stream), { size: LARGE, isEnded: true, code: 0 });
    }, WINDOW));
});
