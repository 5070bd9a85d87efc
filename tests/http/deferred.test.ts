/**
 * Requests on a transport that defers work, as sockets of Node do: what happens before `fetch` is
 * called.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import type { Settings } from "../../src/server/settings.ts";
import type { Deferred, InternalTransport } from "../../src/transport/transport.ts";
import { settle, untilQuiet } from "../support/rig.ts";
import { GET, head, serve } from "./serve.ts";

/** A connection whose transport defers work, and the signals of the requests that `fetch` got. */
function deferring(settings: Partial<Settings> = {}) {
  const signals: AbortSignal[] = [];
  const rig = serve(async (request) => {
    signals.push(request.signal);
    return new Response(await request.text());
  }, settings);
  const { client, transport } = rig.join();
  const deferred: Deferred[] = [];
  (transport as InternalTransport).defer = (work) => deferred.push(work);
  const start = async () => {
    for (const work of deferred.splice(0)) work.start();
    await untilQuiet();
  };
  return { client, clock: rig.clock, deferred, signals, start };
}

const POST = head("POST / HTTP/1.1", "Transfer-Encoding: chunked");

describe("a deferred request", () => {
  test("is answered when it is started", async () => {
    const { client, deferred, signals, start } = deferring();
    for (let round = 1; round <= 2; round++) {
      client.write(GET);
      await untilQuiet();
      assertEquals([deferred.length, signals.length], [1, round - 1]);
      await start();
      assertEquals(client.raw.split("HTTP/1.1 200").length - 1, round);
    }
  });

  test("is not ended by the timer of the idle connection before it", async () => {
    const { client, clock, start } = deferring({ keepAliveTimeout: 1000 });
    client.write(GET);
    await untilQuiet();
    await start();
    await clock.advance(900);
    client.write(GET);
    await untilQuiet();
    await clock.advance(200);
    await start();
    assertEquals([client.raw.split("HTTP/1.1 200").length - 1, client.events], [2, []]);
  });

  test("has a body that arrives before or after the start", async () => {
    const { client, start } = deferring();
    client.write(POST);
    client.write("2\r\nab\r\n");
    await untilQuiet();
    await start();
    client.write("1\r\nc\r\n0\r\n\r\n");
    await untilQuiet();
    assertEquals(client.parseAnswer().body, "abc");
  });

  test("is the only one: the next one of a pipeline starts at once", async () => {
    const { client, deferred, start } = deferring();
    client.write(GET + GET);
    await untilQuiet();
    assertEquals(deferred.length, 1);
    await start();
    assertEquals([deferred.length, client.raw.split("HTTP/1.1 200").length - 1], [0, 2]);
  });

  test("has an aborted signal if FIN came before", async () => {
    const { client, signals, start } = deferring();
    client.write(GET);
    client.end();
    await settle();
    await start();
    assertEquals(signals.map(({ aborted }) => aborted), [true]);
    assertStringIncludes(client.raw, "HTTP/1.1 200");
  });

  const refused: [name: string, rest: string, response: string][] = [
    ["if its body is malformed", "x\r\n", "HTTP/1.1 400"],
    ["after half a body and FIN", "2\r\na", "HTTP/1.1 400"],
  ];
  for (const [name, rest, response] of refused) {
    test(`is not started ${name}`, async () => {
      const { client, signals, start } = deferring();
      client.write(POST);
      client.write(rest);
      client.end();
      await settle();
      await start();
      assertEquals([signals.length, client.raw.split("HTTP/1.1").length - 1], [0, 1]);
      assertStringIncludes(client.raw, response);
    });
  }

  test("is not started if the client has reset the connection", async () => {
    const { client, signals, start } = deferring();
    client.write(GET);
    client.reset();
    await settle();
    await start();
    assertEquals(signals, []);
  });
});
