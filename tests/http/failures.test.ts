import { describe, test } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HttpError } from "../../src/errors.ts";
import type { Settings } from "../../src/server/settings.ts";
import { gate, settle } from "../support/rig.ts";
import { ask, GET, head, ok, serve } from "./serve.ts";

/** A body of these pieces. */
function streamOf(...pieces: readonly string[]): ReadableStream<Uint8Array> {
  const left = pieces.map((piece) => new TextEncoder().encode(piece));
  return new ReadableStream({
    pull(controller) {
      const next = left.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(next);
    },
  }, { highWaterMark: 0 });
}

describe("an application that fails", () => {
  const failures: [name: string, fetch: () => unknown][] = [
    ["throws", () => {
      throw new Error("on purpose");
    }],
    ["rejects", () => Promise.reject(new Error("on purpose"))],
    ["returns nothing", () => undefined],
    ["returns a body that is used", async () => {
      const response = new Response("used");
      await response.text();
      return response;
    }],
    ["returns a body that is locked", () => {
      const response = new Response("locked");
      response.body?.getReader();
      return response;
    }],
    ["returns a field that cannot be sent", () => new Response("", { headers: { X: "a\x01" } })],
    ["returns Response.error()", () => Response.error()],
  ];
  for (const [name, fetch] of failures) {
    test(`because it ${name} gets a 500, once, and an entry in the log`, async () => {
      const { status, body, logged, events, raw } = await ask(fetch as Settings["fetch"], GET);
      assertEquals([status, body, logged.length], [500, "internal error\n", 1]);
      assertEquals([events, raw.split("HTTP/1.1 ").length], [["FIN", "gone"], 2]);
    });
  }

  // A client would read bytes beyond the length as the beginning of another response.
  const lengths: [length: string, body: () => string | ReadableStream, sent: string][] = [
    ["3", () => "hello", ""],
    ["0", () => "hello", ""],
    ["6", () => "hello", "hello"],
    ["3", () => streamOf("ab", "c", "d"), "abc"],
    ["3", () => streamOf("ab", "cd"), "ab"],
    ["4", () => streamOf("ab", "c"), "abc"],
    ["1", () => streamOf(), ""],
  ];
  for (const version of ["1.1", "1.0"]) {
    for (const [length, body, sent] of lengths) {
      test(`by another length (${length}) than its body's, HTTP/${version}, is cut off, and logged`, async () => {
        const fetch = () => new Response(body(), { headers: { "Content-Length": length } });
        const answer = await ask(fetch, head(`GET / HTTP/${version}`));
        assertEquals([answer.status, answer.body, answer.events], [200, sent, ["reset"]]);
        assertEquals(answer.logged.length, 1);
        assertStringIncludes(answer.logged[0] ?? "", `its Content-Length is ${length}`);
      });
    }
  }

  for (const length of ["abc", "-1", "5, 5", "1e3", "0x5", ""]) {
    test(`with the Content-Length ${JSON.stringify(length)} gets a 500`, async () => {
      const fetch = () => new Response("hello", { headers: { "Content-Length": length } });
      const { status, logged, raw } = await ask(fetch, GET);
      assertEquals([status, logged.length, raw.includes("hello")], [500, 1, false]);
    });
  }

  test("with a Content-Length but no body gets a 500, except for HEAD", async () => {
    const fetch = () => new Response(null, { headers: { "Content-Length": "5" } });
    assertEquals((await ask(fetch, GET)).status, 500);
    const { status, headers, logged } = await ask(fetch, head("HEAD / HTTP/1.1"));
    assertEquals([status, headers.get("content-length"), logged], [200, "5", []]);
  });

  test("with an HttpError gets its status", async () => {
    const fetch = () => {
      throw new HttpError(418, "short and stout", { "X-Pot": "tea" });
    };
    const { status, body, headers, logged } = await ask(fetch, GET);
    assertEquals([status, body, headers.get("x-pot"), logged], [
      418,
      "short and stout\n",
      "tea",
      [],
    ]);
  });

  for (
    const [name, chunks] of [
      ["an error", [new TextEncoder().encode("half"), new Error("on purpose")]],
      ["what is no bytes", [new TextEncoder().encode("half"), "text"]],
    ] as const
  ) {
    test(`with ${name} in its stream does not look like a complete response`, async () => {
      for (const version of ["1.1", "1.0"]) {
        const fetch = () => {
          const left = [...chunks];
          return new Response(
            new ReadableStream({
              async pull(controller) {
                await settle();
                const next = left.shift();
                if (next instanceof Error) controller.error(next);
                else controller.enqueue(next as Uint8Array<ArrayBuffer>);
              },
            }, { highWaterMark: 0 }),
          );
        };
        const { raw, events, logged } = await ask(fetch, head(`GET / HTTP/${version}`));
        assertEquals([raw.split("HTTP/1.1 ").length, events, logged.length], [2, ["reset"], 1]);
      }
    });
  }
});

describe("a client that", () => {
  /** A response without an end, and its state. */
  function endless() {
    const state = { pulled: 0, cancelled: 0 };
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        // Waits: the connection consists of microtasks, and the body has no end.
        await settle();
        state.pulled++;
        controller.enqueue(new Uint8Array(1000));
      },
      cancel() {
        state.cancelled++;
        throw new Error("that is its own affair");
      },
    }, { highWaterMark: 0 });
    return { state, response: () => new Response(stream) };
  }

  test("reads a response slowly is not sent more than it reads", async () => {
    const { state, response } = endless();
    const rig = serve(response, { highWaterMark: 10_000, handshakeTimeout: 5000 });
    const { client } = rig.join({ capacity: 0, split: 500 });
    client.transport.pause();
    client.write(GET);
    for (let waited = 0; waited < 40; waited++) await settle();
    assert(state.pulled <= 12, `${state.pulled} chunks were taken from the stream`);
    // Some bytes every few seconds, for much longer than handshakeTimeout.
    for (let waited = 0; waited < 12; waited++) {
      client.transport.resume();
      await Promise.resolve();
      client.transport.pause();
      await rig.clock.advance(4000);
    }
    assertEquals([client.events, state.cancelled], [[], 0]);
    // And then none.
    await rig.clock.advance(10_100);
    assertEquals([client.events, state.cancelled], [["reset"], 1]);
    assertEquals([rig.logged, rig.clock.pending], [[], 0]);
  });

  test("closes the connection during the response has its stream cancelled", async () => {
    const { state, response } = endless();
    const rig = serve(response, { highWaterMark: 10_000 });
    const client = await rig.send(GET);
    for (let waited = 0; waited < 5; waited++) await settle();
    client.reset();
    await settle();
    const { pulled } = state;
    for (let waited = 0; waited < 5; waited++) await settle();
    assert(state.pulled <= pulled + 1, "the stream is read on");
    assertEquals([state.cancelled, rig.logged], [1, []]);
  });

  test("closes the connection before the response has its stream cancelled", async () => {
    const { state, response } = endless();
    const { promise, open } = gate();
    const rig = serve(async () => {
      await promise;
      return response();
    });
    const client = await rig.send(GET);
    client.reset();
    await settle();
    open();
    for (let waited = 0; waited < 5; waited++) await settle();
    assertEquals([state, rig.logged], [{ pulled: 0, cancelled: 1 }, []]);
  });

  test("has sent FIN still gets the response", async () => {
    const { promise, open } = gate();
    const rig = serve(async () => {
      await promise;
      return ok();
    });
    const client = await rig.send(GET);
    client.end();
    await settle();
    open();
    for (let waited = 0; waited < 5; waited++) await settle();
    assertStringIncludes(client.raw, "ok");
    assertEquals(client.events, ["FIN", "gone"]);
  });

  test("makes a WebSocket handshake does not reach the application", async () => {
    let served = 0;
    const fetch = () => {
      served++;
      return ok();
    };
    const rig = serve(fetch);
    await rig.open("rfc6455", { path: "/ws" });
    const { client } = rig.join();
    await client.open("rfc6455", { path: "/none" }).catch(() => {});
    assertEquals([client.parseAnswer().status, served], [404, 0]);
  });
});

describe("a client that has sent FIN", () => {
  /** A request and FIN; the application's stream follows the test. */
  async function leave(pull: (controller: ReadableStreamDefaultController) => void, setting = {}) {
    const canceled: unknown[] = [];
    const stream = new ReadableStream({
      pull,
      cancel: (reason) => void canceled.push(reason),
    }, { highWaterMark: 0 });
    const rig = serve(() => new Response(stream), { handshakeTimeout: 10_000, ...setting });
    rig.clock.holdTurns();
    const { client } = rig.join();
    client.write(GET);
    await settle();
    client.end();
    await settle();
    return { rig, client, canceled };
  }

  const ends: Record<string, (controller: ReadableStreamDefaultController) => unknown> = {
    "waits for": () => new Promise(() => {}),
    "gets empty pieces of": (controller) => controller.enqueue(new Uint8Array(0)),
  };
  for (const [what, pull] of Object.entries(ends)) {
    test(`and ${what} a response is given up after handshakeTimeout`, async () => {
      const { rig, client, canceled } = await leave(pull as () => void);
      for (let turns = 0; turns < 5; turns++) await rig.clock.turn();
      await rig.clock.advance(9_900);
      assertEquals([client.events, canceled.length], [[], 0]);
      await rig.clock.advance(200);
      await rig.clock.turn();
      assertEquals([client.events, canceled.length], [["reset"], 1]);
      assertEquals([rig.logged, rig.clock.pending, await rig.clock.turn()], [[], 0, 0]);
    });

    test(`and ${what} a response is not, where handshakeTimeout is off`, async () => {
      const { rig, client } = await leave(pull as () => void, { handshakeTimeout: 0 });
      await rig.clock.advance(1_000_000);
      assertEquals(client.events, []);
      client.reset();
      await settle();
      await rig.clock.turn();
    });
  }

  test("gets the whole response, however long it takes, if it comes in pieces", async () => {
    let pieces = 0;
    const next: (() => void)[] = [];
    const { rig, client, canceled } = await leave((controller) =>
      new Promise<void>((resolve) => {
        next.push(() => {
          if (pieces++ < 5) controller.enqueue(Uint8Array.of(65));
          else controller.close();
          resolve();
        });
      })
    );
    while (next.length > 0) {
      await rig.clock.advance(9_000);
      next.shift()?.();
      await settle();
    }
    assertEquals(client.parseAnswer().body, `${"1\r\nA\r\n".repeat(5)}0\r\n\r\n`);
    assertEquals([client.events, canceled, rig.logged], [["FIN", "gone"], [], []]);
  });

  test("is given up before the response has begun, too", async () => {
    const { promise, open } = gate();
    const rig = serve(async () => {
      await promise;
      return new Response("late");
    }, { handshakeTimeout: 10_000 });
    const { client } = rig.join();
    client.write(GET);
    client.end();
    await settle();
    await rig.clock.advance(10_100);
    assertEquals(client.events, ["reset"]);
    open();
    await settle();
    assertEquals([rig.logged, rig.clock.pending], [[], 0]);
  });
});
