import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { RequestHead } from "../../src/handshake/request_head.ts";
import { plainResponse } from "../../src/server/plain_response.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";

/** Uses all of a response's writer, and returns what it called. */
async function calls(settings: Record<string, number>): Promise<string[]> {
  const called: string[] = [];
  const note = (name: string) => (...args: unknown[]): void => {
    called.push(
      [name, ...args.map((arg) => (arg === opening ? "opening" : String(arg)))].join(" "),
    );
  };
  const opening = {
    deadline: 0,
    before: null,
    after: null,
    expire: note("expire"),
    finish: note("finish"),
    abort: note("abort"),
  };
  const connection = {
    context: {
      settings: { maxBodySize: 7, ...settings },
      wheel: { set: note("set"), remove: note("remove") },
      accessLog: { request: (_: unknown, ...rest: unknown[]) => note("request")(...rest) },
    },
    transport: { setKeepAlive: note("setKeepAlive") },
    writer: {
      writeRaw: note("writeRaw"),
      ready: () => Promise.resolve(note("ready")()),
      watchProgress: note("watchProgress"),
      isProgressing: true,
    },
    toRequest: () => "request",
    report: note("report"),
  };
  const head = {} as RequestHead;
  const writer = plainResponse(connection as unknown as ServerConnection, head, opening);
  assertEquals([writer.head === head, writer.maxBodySize], [true, 7]);
  assertEquals([writer.isProgressing(), String(writer.toRequest())], [true, "request"]);
  writer.write(Uint8Array.of(1, 2));
  await writer.ready();
  writer.startTimer();
  writer.stopTimer();
  writer.keepAlive();
  writer.report("fault");
  writer.ended(200, true);
  writer.finish();
  writer.abort();
  return called;
}

const BEFORE = ["writeRaw 1,2", "ready", "watchProgress"];
const AFTER = ["report fault", "request 200 true", "finish", "abort"];

describe("the writer of a plain response", () => {
  test("writes to its connection, and sets its timer and keep-alive", async () => {
    assertEquals(await calls({ handshakeTimeout: 1, pingInterval: 1 }), [
      ...BEFORE,
      "set opening 1",
      "remove opening",
      "setKeepAlive true 1",
      ...AFTER,
    ]);
  });

  test("sets no timer and no keep-alive with 0", async () => {
    assertEquals(await calls({ handshakeTimeout: 0, pingInterval: 0 }), [
      ...BEFORE,
      "remove opening",
      ...AFTER,
    ]);
  });
});
