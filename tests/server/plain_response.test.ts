import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { RequestHead } from "../../src/handshake/request_head.ts";
import { type PlainConnection, PlainResponse } from "../../src/server/plain_response.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";

/** A response whose connection notes in `called` what is called. */
function make(
  {
    handshakeTimeout = 1,
    accessLog = true,
    stopping = false,
    congested = false,
    secure = true,
  } = {},
) {
  const called: string[] = [];
  const note = (name: string) => (...args: unknown[]): void => {
    const told = args.map((arg) => arg === http ? "http" : arg === connection ? "connection" : arg);
    called.push(JSON.stringify([name, ...told]));
  };
  const http = {
    heldSize: 3,
    pause: note("pause"),
    resume: note("resume"),
    finishExchange: note("finishExchange"),
    abort: note("abort"),
  };
  const connection = {
    context: {
      settings: { maxBodySize: 7, maxQueuedSize: 8, handshakeTimeout },
      date: { value: "today" },
      wheel: { set: note("set"), remove: note("remove") },
      accessLog: accessLog ? { request: note("request") } : null,
    },
    owner: { stopping },
    remoteAddress: { transport: "tcp", hostname: "::1", port: 1 },
    secure,
    writer: {
      congested,
      isProgressing: !congested,
      writeRaw: (bytes: Uint8Array) => note("writeRaw")(...bytes),
      ready: () => Promise.resolve(note("ready")()),
      watchProgress: note("watchProgress"),
      flush: note("flush"),
    },
    report: note("report"),
  };
  const toRequest = (scheme: string, make: (url: string, init?: RequestInit) => Request) =>
    make(`${scheme}://a/`, { method: "POST" });
  const head = { toRequest } as unknown as RequestHead;
  const response = new PlainResponse(
    connection as unknown as ServerConnection,
    head,
    http as unknown as PlainConnection,
  );
  assertEquals(response.head === head, true);
  return { response, called };
}

describe("the response to a plain request", () => {
  test("has the limits and the state of its connection", () => {
    for (const is of [true, false]) {
      const { response } = make({ stopping: is, congested: is });
      const { maxBodySize, maxQueuedSize, date, isStopping, isCongested, isProgressing } = response;
      assertEquals([maxBodySize, maxQueuedSize, date], [7, 8, "today"]);
      assertEquals([isStopping, isCongested, isProgressing], [is, is, !is]);
      assertEquals([response.info.remoteAddr.hostname, response.info.secure], ["::1", true]);
    }
  });

  test("makes the request, with the scheme of the connection", async () => {
    for (const secure of [true, false]) {
      const { response } = make({ secure });
      const url = secure ? "https://a/" : "http://a/";
      const bodiless = response.toRequest(null);
      assertEquals([bodiless.url, bodiless.method, bodiless.body], [url, "POST", null]);
      const request = response.toRequest(new Blob(["abc"]).stream());
      assertEquals([request.url, request.method, await request.text()], [url, "POST", "abc"]);
    }
  });

  test("is sent by its connection", async () => {
    const { response, called } = make();
    response.write(Uint8Array.of(1, 2));
    await response.ready();
    response.pause();
    response.resume();
    response.stopTimer();
    response.report("fault");
    response.finish(true);
    response.abort();
    assertEquals(called, [
      '["writeRaw",1,2]',
      '["ready"]',
      '["pause"]',
      '["resume"]',
      '["remove","http"]',
      '["report","fault"]',
      '["finishExchange",true]',
      '["abort"]',
    ]);
  });

  test("has handshakeTimeout for each step, unless that is 0", () => {
    for (
      const [handshakeTimeout, set] of [[0, []], [1, ['["set","http",1]']]] as const
    ) {
      const { response, called } = make({ handshakeTimeout });
      response.startTimer();
      assertEquals(called, ['["watchProgress"]', ...set]);
    }
  });

  test("is told to the access log, with all its bytes", () => {
    const { response, called } = make();
    response.ended(200, true);
    const entry = '{"status":200,"complete":true,"unread":3}';
    assertEquals(called, ['["flush"]', `["request","connection",${entry}]`]);
    const silent = make({ accessLog: false });
    silent.response.ended(200, true);
    assertEquals(silent.called, []);
  });
});
