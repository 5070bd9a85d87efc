import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { HandshakeError } from "../../src/client/mod.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { type FakeServer, join, settle } from "./fake_server.ts";
import { bytesOf, goodAnswer, parseRequest, VERSIONS } from "../handshake/good_server.ts";

const URL = "ws://example.com/";

const RESPONSE = "complete response";
const CHALLENGE_RESPONSE = "complete challenge response";

/** The bytes of a server before it stops, and what the client waits for then. */
const stops: readonly (readonly [
  how: string,
  answer: (good: string) => string,
  awaited: (version: WebSocketVersion) => string,
])[] = [
  ["nothing", () => "", () => RESPONSE],
  ["half a line", () => "HTTP/1.1 101 W", () => RESPONSE],
  [
    "all but the last byte",
    (good) => good.slice(0, -1),
    (version) => version === "draft76" ? CHALLENGE_RESPONSE : RESPONSE,
  ],
];

/** Opens with a server that stops, lets it end, and checks that nothing is left open. */
async function stopped(
  version: WebSocketVersion,
  answer: (good: string) => string,
  end: (server: FakeServer) => Promise<void> | void,
): Promise<{ error: HandshakeError; sent: number }> {
  const { server, promise } = join(URL, { version, handshakeTimeout: 1000 });
  await settle();
  const sent = answer(goodAnswer(version, parseRequest(bytesOf(server.request))));
  server.write(sent);
  await settle();
  await end(server);
  const error = await assertRejects(() => promise, HandshakeError, `Cannot connect to ${URL}: `);
  await settle();
  const last = server.events.at(-1);
  assertEquals(last === "reset" || last === "gone", true, String(server.events));
  assertEquals(server.clock.pending, 0);
  return { error, sent: sent.length };
}

for (const version of VERSIONS) {
  describe(`a client of ${version} gives up on a server that sends`, () => {
    for (const [how, answer, awaited] of stops) {
      test(`${how} and stops`, async () => {
        const { error, sent } = await stopped(version, answer, ({ clock }) => clock.advance(1000));
        assertStringIncludes(
          error.message,
          `no ${awaited(version)} within handshakeTimeout (1000 ms), got ${sent} bytes`,
        );
        assertEquals([error.status, error.body], [undefined, ""]);
      });

      test(`${how} and FIN`, async () => {
        const { error, sent } = await stopped(version, answer, (server) => server.end());
        assertStringIncludes(
          error.message,
          `the server closed the connection before a ${awaited(version)}, got ${sent} bytes`,
        );
        assertEquals(error.cause, undefined);
      });

      test(`${how} and a reset`, async () => {
        const { error, sent } = await stopped(version, answer, (server) => server.reset());
        assertStringIncludes(error.message, `before a ${awaited(version)}, got ${sent} bytes`);
        assertEquals((error.cause as { code?: string }).code, "ECONNRESET");
      });
    }

    const ends: Readonly<Record<string, (server: FakeServer) => Promise<void> | void>> = {
      stops: ({ clock }) => clock.advance(1000),
      "sends FIN": (server) => server.end(),
      resets: (server) => server.reset(),
    };
    for (const [how, end] of Object.entries(ends)) {
      test(`half the body of a refusal and ${how}`, async () => {
        const half = "HTTP/1.1 503 \r\nContent-Length: 9\r\n\r\nnot";
        const { error } = await stopped(version, () => half, end);
        assertStringIncludes(error.message, `": "not"`);
        assertEquals([error.status, error.body, error.cause], [503, "not", undefined]);
      });
    }
  });
}

describe("a client gives up at once", () => {
  test("and leaves nothing open, when its signal aborts", async () => {
    const controller = new AbortController();
    const { server, promise } = join(URL, { signal: controller.signal });
    await settle();
    controller.abort(new RangeError("enough"));
    await assertRejects(() => promise, RangeError, "enough");
    await settle();
    assertEquals([server.events, server.clock.pending], [["reset"], 0]);
  });

  test("on a response that it refuses, even if it is incomplete", async () => {
    const { server, promise } = join(URL);
    server.write("HTTP/1.1 101 \r\nUpgrade: h2c\r\n\r\n\x81\x02hi");
    await assertRejects(() => promise, HandshakeError, `Upgrade must be websocket, got "h2c"`);
    await settle();
    assertEquals([server.events, server.clock.pending], [["reset"], 0]);
  });
});

describe("a client with handshakeTimeout 0", () => {
  for (const version of VERSIONS) {
    test(`waits for ever for a response (${version})`, async () => {
      const { server, promise } = join(URL, { version, handshakeTimeout: 0, pingInterval: 0 });
      await settle();
      await server.clock.advance(100_000_000);
      assertEquals([server.clock.pending, server.take()], [0, []]);
      server.write(goodAnswer(version, parseRequest(bytesOf(server.request))));
      const client = await promise;
      assertEquals(client.version, version);
      client.abort();
    });
  }
});
