import { describe, test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Settings } from "../../src/server/settings.ts";
import type { AccessEntry } from "../../src/server/access_log.ts";
import type { Context } from "../../src/server/context.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { HttpConnection } from "../../src/server/http_connection.ts";
import type { ServerConnection } from "../../src/server/server_connection.ts";
import { makeOpening, MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { gate, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";
import { GET, head, ok, readBody, serve } from "../http/serve.ts";

/** Lets promises, streams and turns of the event loop go on. */
async function rest(): Promise<void> {
  await untilQuiet();
}

/** The status codes of the responses so far. */
function statuses({ raw }: MemoryClient): number[] {
  return [...raw.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** Answers with the path. */
const path = (request: Request) => new Response(new URL(request.url).pathname);

/** Sends requests on one connection, and waits for the response of each. */
async function talk(rig: Rig, ...requests: readonly string[]): Promise<MemoryClient> {
  const { client } = rig.join();
  for (const request of requests) {
    client.write(request);
    await rest();
  }
  return client;
}

describe("a connection", () => {
  test("serves one request after the other", async () => {
    const rig = serve(readBody);
    const post = head("POST / HTTP/1.1", "Content-Length: 2") + "ab";
    const chunked = head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + "1\r\nc\r\n0\r\n\r\n";
    const client = await talk(rig, post, chunked, GET, post);
    assertEquals(statuses(client), [200, 200, 200, 200]);
    const bodies = client.raw.split("HTTP/1.1 ").slice(1).map((answer) =>
      answer.split("\r\n\r\n")[1]
    );
    assertEquals(bodies, ["ab", "c", "", "ab"]);
    assertEquals([client.events, rig.app.stats().requests, rig.logged], [[], 4, []]);
  });

  for (const split of [Infinity, 1]) {
    test(`answers pipelined requests in order, split ${split}`, async () => {
      const first = gate();
      const called: string[] = [];
      const rig = serve(async (request) => {
        called.push(new URL(request.url).pathname);
        if (request.url.endsWith("/0")) await first.promise;
        return path(request);
      });
      const { client } = rig.join({ split });
      client.write([0, 1, 2, 3].map((i) => head(`GET /${i} HTTP/1.1`)).join("\r\n"));
      await rest();
      assertEquals([called, client.raw], [["/0"], ""], "no request is read before its turn");
      first.open();
      for (let waited = 0; waited < 4; waited++) await rest();
      assertEquals(called, ["/0", "/1", "/2", "/3"]);
      const bodies = [...client.raw.matchAll(/\r\n\r\n(\/\d)/g)].map(([, body]) => body);
      assertEquals(bodies, called);
    });
  }

  test("reads no more pipelined requests than maxQueuedSize while one is answered", async () => {
    const { promise, open } = gate();
    const rig = serve(async () => {
      await promise;
      return new Response("x");
    }, { maxQueuedSize: 2000 });
    const { client } = rig.join({ capacity: 0, split: 100 });
    const count = 200;
    client.write(GET.repeat(count));
    await rest();
    const waiting = client.transport.bufferedAmount;
    assertEquals(waiting > GET.length * count - 4000, true, `${waiting} bytes were not read`);
    open();
    for (let waited = 0; waited < 100 && statuses(client).length < count; waited++) await rest();
    assertEquals(statuses(client).length, count);
  });

  const endings: [name: string, request: string, fetch: Settings["fetch"], field: string | null][] =
    [
      ["HTTP/1.1", GET, ok, null],
      ["HTTP/1.1 with Connection: close", head("GET / HTTP/1.1", "Connection: close"), ok, "close"],
      ["Connection: x, Close", head("GET / HTTP/1.1", "Connection: x, Close"), ok, "close"],
      ["HTTP/1.0", head("GET / HTTP/1.0"), ok, "close"],
      [
        "HTTP/1.0 with keep-alive",
        head("GET / HTTP/1.0", "Connection: Keep-Alive"),
        ok,
        "keep-alive",
      ],
      [
        "HTTP/1.0 with keep-alive and close",
        head("GET / HTTP/1.0", "Connection: keep-alive, close"),
        ok,
        "close",
      ],
      [
        "HTTP/1.0 with keep-alive and a body whose length is not known",
        head("GET / HTTP/1.0", "Connection: keep-alive"),
        () => new Response(slow("ok")),
        "close",
      ],
      ["HTTP/1.1 and a body whose length is not known", GET, () => new Response(slow("ok")), null],
      [
        "an application that wants to close",
        GET,
        () => new Response("ok", { headers: { Connection: "close" } }),
        "close",
      ],
      ["a HEAD", head("HEAD / HTTP/1.1"), ok, null],
      ["a 204", GET, () => new Response(null, { status: 204 }), null],
      ["a 304", GET, () => new Response(null, { status: 304 }), null],
      ["no body", GET, () => new Response(null), null],
    ];
  for (const [name, request, fetch, field] of endings) {
    test(`goes on after the response or not: ${name}`, async () => {
      const rig = serve(fetch);
      const client = await talk(rig, request);
      await rest();
      const goesOn = field !== "close";
      assertEquals(client.parseAnswer().headers.get("connection"), field);
      assertEquals(client.events, goesOn ? [] : ["FIN"]);
      client.write(head("GET / HTTP/1.1", "Connection: close"));
      await rest();
      assertEquals(statuses(client).length, goesOn ? 2 : 1, client.raw);
    });
  }

  for (const version of VERSIONS) {
    test(`becomes a WebSocket after requests: ${version}`, async () => {
      const rig = serve(ok);
      const { client } = rig.join();
      client.write(GET + GET);
      await rest();
      assertEquals(statuses(client), [200, 200]);
      const before = client.raw.length;
      const upgraded = new MemoryClient(client.transport);
      await upgraded.open(version, { path: "/ws" });
      assertEquals([upgraded.answer?.status, client.raw.length], [101, before]);
      upgraded.send("hi");
      await rest();
      assertEquals(rig.app.stats().connections.open, 1);
      upgraded.reset();
    });
  }

  test("becomes a WebSocket by a pipelined handshake, whose time is limited", async () => {
    const rig = serve(ok, { handshakeTimeout: 1000 });
    const { client } = rig.join();
    const key = "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5";
    const key2 = "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00";
    const handshake = head(
      "GET /ws HTTP/1.1",
      "Connection: Upgrade",
      "Upgrade: WebSocket",
      key,
      key2,
    );
    client.write(GET + handshake);
    await rest();
    assertEquals(statuses(client), [200, 101]);
    // key3 does not come.
    await rig.clock.advance(1100);
    assertEquals([client.events, rig.app.stats().refused.timeout], [["reset"], 1]);
  });

  const refused: [name: string, request: string, status: number][] = [
    ["a malformed request", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400],
    [
      "a WebSocket that has no route",
      head(
        "GET /none HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ),
      404,
    ],
    [
      "an unknown version",
      head(
        "GET /ws HTTP/1.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 99",
      ),
      426,
    ],
    [
      "ambiguous framing",
      head(
        "POST / HTTP/1.1",
        "Content-Length: 1",
        "Transfer-Encoding: chunked",
      ),
      400,
    ],
    ["OPTIONS *", head("OPTIONS * HTTP/1.1"), 204],
  ];
  for (const [name, request, status] of refused) {
    test(`ends after one response to ${name}`, async () => {
      const rig = serve(ok);
      const client = await talk(rig, GET, request + GET);
      assertEquals([statuses(client), client.events], [[200, status], ["FIN"]]);
      assertEquals(/\r\nconnection:[^\r]*close\r\n/i.test(client.raw), true);
    });
  }

  test("whose socket closes while the last response is written is not closed once more", async () => {
    const { client, transport } = serve(ok).join();
    const calls: string[] = [];
    transport.write = () => {
      calls.push("write");
      transport.events.closed();
    };
    transport.end = () => void calls.push("end");
    client.write(head("OPTIONS * HTTP/1.1"));
    await rest();
    assertEquals(calls, ["write"]);
  });

  test("reads on when it has held a single byte of the next request", async () => {
    const { promise, open } = gate();
    const rig = serve(async (request) => {
      await promise;
      return path(request);
    });
    const { client } = rig.join();
    client.write(GET + "G");
    await rest();
    open();
    await rest();
    client.write(GET.slice(1));
    await rest();
    assertEquals(statuses(client), [200, 200]);
  });

  test("whose client has sent FIN ends after the responses to all it has sent", async () => {
    const { promise, open } = gate();
    const aborted: boolean[] = [];
    const rig = serve(async ({ signal }) => {
      aborted.push(signal.aborted);
      await promise;
      return ok();
    });
    const { client } = rig.join();
    client.write(GET + GET);
    await rest();
    client.end();
    await rest();
    open();
    await rest();
    await rest();
    assertEquals([statuses(client), client.events], [[200, 200], ["FIN", "gone"]]);
    // Nobody knows whether the client still reads.
    assertEquals(aborted, [false, true]);
  });

  for (
    const [size, calls] of [[GET.length, ["pause", "resume"]], [GET.length + 1, []]] as const
  ) {
    test(`is paused once, if maxQueuedSize of ${size} bytes wait, and resumed`, async () => {
      const { promise, open } = gate();
      const rig = serve(async () => {
        await promise;
        return ok();
      }, { maxQueuedSize: size });
      const { client, transport } = rig.join();
      const noted: string[] = [];
      for (const name of ["pause", "resume"] as const) {
        const call = transport[name].bind(transport);
        transport[name] = () => {
          noted.push(name);
          call();
        };
      }
      client.write(GET + GET);
      await rest();
      open();
      await rest();
      assertEquals([statuses(client), noted], [[200, 200], [...calls]]);
      client.reset();
    });
  }

  for (
    const [path, status, events] of [
      ["/ws", 101, []],
      ["/none", 404, ["FIN", "gone"]],
    ] as const
  ) {
    test(`reads on after a handshake that has filled maxQueuedSize: ${path}`, async () => {
      const { promise, open } = gate();
      const seen: string[] = [];
      const rig = new Rig([["/ws", Recording, seen]], {
        fetch: async () => {
          await promise;
          return ok();
        },
        maxQueuedSize: 100,
      });
      const { client } = rig.join();
      client.write(GET + makeOpening("rfc6455", { path }).head);
      await rest();
      open();
      await rest();
      assertEquals(statuses(client), [200, status]);
      client.write(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x61));
      client.end();
      await rest();
      assertEquals(seen, status === 101 ? ["open", "text a", "close"] : []);
      assertEquals(client.events.slice(0, events.length), [...events]);
    });
  }

  test("reads nothing after such a handshake while prepare() is pending", async () => {
    const [response, prepared] = [gate(), gate()];
    const seen: string[] = [];
    class Preparing extends Recording {
      override prepare(): Promise<void> {
        return prepared.promise;
      }
    }
    const rig = new Rig([["/ws", Preparing, seen]], {
      fetch: async () => {
        await response.promise;
        return ok();
      },
      maxQueuedSize: 100,
    });
    const { client } = rig.join({ capacity: 0 });
    client.write(GET + makeOpening("rfc6455", { path: "/ws" }).head);
    await rest();
    response.open();
    await rest();
    client.write(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x61));
    await rest();
    assertEquals(client.transport.bufferedAmount, 7);
    prepared.open();
    await rest();
    assertEquals(seen, ["open", "text a"]);
  });

  test("defers a request that has just arrived, and no other one", async () => {
    const { client, transport } = serve(ok).join();
    let deferred = 0;
    Object.assign(transport, {
      defer(work: { start(): void }) {
        deferred++;
        queueMicrotask(() => work.start());
      },
    });
    client.write(GET + GET);
    await rest();
    assertEquals([statuses(client), deferred], [[200, 200], 1]);
  });

  test("reads its heads with one reader after the other", async () => {
    const contexts: Context[] = [];
    class Spy extends WebSocketHandler {
      override prepare(): void {
        contexts.push((this.connection as unknown as ServerConnection).context);
      }
      onMessage(): void {}
    }
    const rig = new Rig(Spy, { fetch: ok });
    await rig.open("rfc6455");
    const [context] = contexts as [Context];
    const reader = context.takeHeadReader();
    context.giveHeadReader(reader);
    await talk(rig, GET, GET);
    assertEquals(context.takeHeadReader() === reader, true);
  });

  test("stops its output when its socket is closed", () => {
    const called: string[] = [];
    const connection = {
      context: { wheel: { remove: () => called.push("remove") } },
      refused: () => called.push("refused"),
      gone: () => called.push("gone"),
    };
    const http = new HttpConnection(connection as unknown as ServerConnection);
    assertEquals(http.deadline, 0);
    http.closed();
    assertEquals(called, ["remove", "refused", "gone"]);
  });

  test("whose client leaves during a response has no timer", async () => {
    const { promise, open } = gate();
    const rig = serve(async () => {
      await promise;
      return ok();
    });
    const { client } = rig.join();
    client.write(GET);
    await rest();
    client.reset();
    await rest();
    open();
    await rest();
    assertEquals([client.raw, rig.clock.pending], ["", 0]);
  });

  test("whose client sends FIN after half a body is answered with a 400, and ends", async () => {
    const rig = serve(readBody);
    const { client } = rig.join();
    client.write(head("POST / HTTP/1.1", "Content-Length: 2") + "a");
    await rest();
    client.end();
    await rest();
    assertEquals([statuses(client), client.events], [[400], ["FIN", "gone"]]);
  });

  test("whose client leaves half a request behind ends", async () => {
    const rig = serve(ok);
    const { client } = rig.join();
    client.write(GET + GET.slice(0, 20));
    client.end();
    await rest();
    assertEquals(statuses(client), [200]);
    assertEquals(client.events.length > 0, true);
    assertEquals(rig.app.stats().refused.gone, 1);
  });
});

/** A body that gives its bytes in a later turn. */
function slow(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await settle();
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  }, { highWaterMark: 0 });
}

describe("an idle connection", () => {
  test("is closed after keepAliveTimeout", async () => {
    const rig = serve(ok, { keepAliveTimeout: 5000 });
    const client = await talk(rig, GET);
    await rig.clock.advance(4900);
    client.write(GET);
    await rest();
    await rig.clock.advance(4900);
    assertEquals([statuses(client), client.events], [[200, 200], []]);
    await rig.clock.advance(200);
    assertEquals([client.events, rig.clock.pending], [["reset"], 0]);
    assertEquals(rig.app.stats().refused.timeout, 0);
  });

  test("is closed too if the client sends empty lines only", async () => {
    const rig = serve(ok, { keepAliveTimeout: 5000 });
    const client = await talk(rig, GET, "\r\n");
    await rig.clock.advance(5100);
    assertEquals([statuses(client), client.events], [[200], ["reset"]]);
  });

  test("gives a request that has begun handshakeTimeout", async () => {
    const rig = serve(ok, { keepAliveTimeout: 1000, handshakeTimeout: 5000 });
    const client = await talk(rig, GET, "\r\nGET /");
    await rig.clock.advance(4900);
    assertEquals([statuses(client), client.events], [[200], []]);
    await rig.clock.advance(200);
    assertEquals(statuses(client), [200, 408]);
  });

  test("gives it a handshakeTimeout of one millisecond too", async () => {
    const rig = serve(ok, { keepAliveTimeout: 1000, handshakeTimeout: 1 });
    const client = await talk(rig, GET, "\r\nGET /");
    await rig.clock.advance(900);
    assertEquals(statuses(client), [200, 408]);
  });

  test("gives it this time from its first byte on, in any number of chunks", async () => {
    const rig = serve(ok, { keepAliveTimeout: 1000, handshakeTimeout: 5000 });
    const client = await talk(rig, GET, "GET /");
    await rig.clock.advance(3000);
    client.write("a");
    await rest();
    await rig.clock.advance(1900);
    assertEquals(statuses(client), [200]);
    await rig.clock.advance(200);
    assertEquals(statuses(client), [200, 408]);
  });

  test("gives the first request this time from the accept on", async () => {
    const rig = serve(ok, { handshakeTimeout: 5000 });
    const { client } = rig.join();
    await rig.clock.advance(3000);
    client.write("GET /");
    await rest();
    await rig.clock.advance(2100);
    assertEquals(statuses(client), [408]);
  });

  test("gives it this time although the last response is read meanwhile", async () => {
    const settings = { keepAliveTimeout: 100, handshakeTimeout: 5000 };
    const rig = serve(() => new Response("x".repeat(5000)), settings);
    const { client } = rig.join({ capacity: 1000 });
    client.transport.pause();
    client.write(GET + "GET /");
    await rest();
    client.transport.resume();
    await rest();
    await rig.clock.advance(1000);
    client.write(" HTTP/1.1\r\nHost: a\r\n\r\n");
    await rest();
    assertEquals(statuses(client), [200, 200]);
    client.reset();
  });

  test("is not closed while its next response is sent slowly", async () => {
    const { promise, open } = gate();
    const settings = { keepAliveTimeout: 100, handshakeTimeout: 5000 };
    const rig = serve((request) => {
      if (request.url.endsWith("/")) return ok();
      return new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new Uint8Array(5000));
            await promise;
            controller.close();
          },
        }),
      );
    }, settings);
    const { client } = rig.join({ capacity: 1000 });
    client.write(GET + head("GET /slow HTTP/1.1"));
    await rest();
    await rig.clock.advance(1000);
    open();
    await rest();
    assertEquals([client.events, client.raw.endsWith("\r\n0\r\n\r\n")], [[], true]);
    client.reset();
  });

  test("ends with FIN after the client's, and at once before a request", async () => {
    const rig = serve(ok);
    for (const [requests, events] of [[[GET], ["FIN", "gone"]], [[], ["reset"]]] as const) {
      const client = await talk(rig, ...requests);
      client.end();
      await rest();
      assertEquals(client.events, [...events]);
    }
  });

  test("stays open without keepAliveTimeout", async () => {
    const rig = serve(ok, { keepAliveTimeout: 0 });
    const client = await talk(rig, GET);
    await rig.clock.advance(10_000_000);
    client.write(GET);
    await rest();
    assertEquals(statuses(client), [200, 200]);
  });

  test("whose client still receives the response is not closed", async () => {
    const settings = { keepAliveTimeout: 100, handshakeTimeout: 1000 };
    const rig = serve(() => new Response("x".repeat(50_000)), settings);
    const { client } = rig.join({ capacity: 1000, split: 1000 });
    client.transport.pause();
    client.write(GET);
    await rest();
    for (let waited = 0; waited < 3; waited++) {
      await rig.clock.advance(900);
      client.transport.resume();
      await Promise.resolve();
      client.transport.pause();
    }
    assertEquals(client.events, []);
    await rig.clock.advance(2100);
    assertEquals(client.events, ["reset"]);
  });

  test("counts for maxConnections", async () => {
    const rig = serve(ok, { maxConnections: 1 });
    const first = await talk(rig, GET);
    const second = await talk(rig, GET);
    assertEquals([statuses(first), statuses(second)], [[200], [503]]);
    first.reset();
    await rest();
    assertEquals(statuses(await talk(rig, GET)), [200]);
  });
});

describe("TCP keep-alive", () => {
  for (const pingInterval of [0, 1, 30_000]) {
    test(`has the interval of pings, once: ${pingInterval}`, async () => {
      const rig = serve(ok, { pingInterval });
      const { client, transport } = rig.join();
      const calls: unknown[] = [];
      transport.setKeepAlive = (...args) => void calls.push(args);
      client.write(GET + GET);
      await rest();
      assertEquals(statuses(client), [200, 200]);
      assertEquals(calls, pingInterval === 0 ? [] : [[true, pingInterval]]);
    });
  }

  test("that the transport refuses is logged", async () => {
    const rig = serve(ok);
    const { client, transport } = rig.join();
    transport.setKeepAlive = () => {
      throw new TypeError("Bad resource ID");
    };
    client.write(GET);
    await rest();
    assertEquals(rig.logged, ["Uncaught exception: Bad resource ID"]);
    client.reset();
  });
});

describe("a shutdown", () => {
  test("ends idle connections at once", async () => {
    const { app } = serve(ok);
    const server = app.listen({ port: 0, hostname: "127.0.0.1" });
    await server.listening;
    const client = await MemoryClient.connect({ port: server.addr.port });
    client.write(GET);
    await client.until("the response", () => client.raw.endsWith("ok"));
    const unused = await MemoryClient.connect({ port: server.addr.port });
    await server.shutdown({ timeout: 0 });
    for (const ended of [client, unused]) {
      await ended.until("the end", () => ended.events.length > 0);
      ended.reset();
    }
  });

  test("ends idle connections in memory, too, and lets the last response be read", async () => {
    const rig = serve(() => new Response("x".repeat(5000)));
    const idle = await talk(rig, GET);
    const unused = await talk(rig);
    const { client: slow } = rig.join({ capacity: 1000 });
    slow.transport.pause();
    slow.write(GET);
    await rest();
    const over = rig.app.shutdown();
    await rest();
    assertEquals([idle.events, unused.events, slow.events], [["reset"], ["reset"], []]);
    slow.transport.resume();
    await rest();
    assertEquals([slow.raw.endsWith("xx"), slow.events], [true, ["FIN"]]);
    slow.end();
    await over;
  });

  test("lets a response be written, and then closes", async () => {
    const { promise, open } = gate();
    const { app } = serve(async () => {
      await promise;
      return ok();
    });
    const server = app.listen({ port: 0, hostname: "127.0.0.1" });
    await server.listening;
    const client = await MemoryClient.connect({ port: server.addr.port });
    client.write(GET + GET);
    while (app.stats().requests === 0) await settle();
    const over = server.shutdown({ timeout: 0 });
    open();
    await client.until("FIN", () => client.events.includes("FIN"));
    client.end();
    await over;
    assertEquals(statuses(client), [200]);
    assertEquals(client.parseAnswer().headers.get("connection"), "close");
    client.reset();
  });
});

describe("a request-target in absolute form", () => {
  const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
  const handshake = (target: string, origin: string) =>
    head(
      `GET ${target} HTTP/1.1`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      KEY,
      `Origin: ${origin}`,
    );
  const rows: [name: string, request: string, status: number][] = [
    ["its own origin", handshake("http://a.example/ws", "http://a.example"), 101],
    ["the origin of Host", handshake("http://a.example/ws", "http://example.com"), 403],
    ["a host that is not allowed", handshake("http://b.example/ws", "http://b.example"), 421],
    ["an allowed host", head("GET http://a.example/x HTTP/1.1"), 200],
    ["a host that is not allowed, and none", head("GET http://b.example/x HTTP/1.1"), 421],
    ["a Host that is not allowed", head("GET /x HTTP/1.1"), 421],
  ];
  for (const [name, request, status] of rows) {
    test(`replaces Host: ${name}`, async () => {
      const client = await talk(serve(ok, { allowedHosts: ["a.example"] }), request);
      assertEquals(statuses(client), [status]);
      client.reset();
    });
  }
});

describe("an access log", () => {
  test("has the whole response to OPTIONS *", async () => {
    const entries: AccessEntry[] = [];
    const rig = serve(ok, { accessLog: (entry) => void entries.push(entry) });
    const request = head("OPTIONS * HTTP/1.1");
    const client = await talk(rig, request);
    const [{ time: _, remoteAddress: __, ...entry }, ...others] = entries as [AccessEntry];
    assertEquals([entry, others], [{
      kind: "request",
      method: "OPTIONS",
      path: "/",
      status: 204,
      complete: true,
      bytesIn: request.length,
      bytesOut: client.raw.length,
      duration: 0,
    }, []]);
  });

  test("tells of each request its own bytes and time", async () => {
    const entries: AccessEntry[] = [];
    const rig = serve(path, { accessLog: (entry) => void entries.push(entry) });
    const { client } = rig.join();
    const second = head("GET /second HTTP/1.1");
    client.write(GET + second);
    await rest();
    await rig.clock.advance(3000);
    client.write(GET);
    await rest();
    const requests = entries.filter((entry) => entry.kind === "request");
    assertEquals(requests.map(({ bytesIn }) => bytesIn), [GET.length, second.length, GET.length]);
    assertEquals(requests.map(({ duration }) => duration), [0, 0, 0]);
    const sizes = client.raw.split("HTTP/1.1 200").slice(1).map((answer) => answer.length + 12);
    assertEquals(requests.map(({ bytesOut }) => bytesOut), sizes);
    assertEquals(requests.map((entry) => entry.path), ["/", "/second", "/"]);
  });
});

describe("a response", () => {
  test("has a Date, of this second, unless the application sets one", async () => {
    const rig = serve((request) => {
      if (request.url.endsWith("/own")) return new Response("", { headers: { Date: "then" } });
      return ok();
    });
    const client = await talk(rig, GET, GET, head("GET /own HTTP/1.1"));
    const dates = [...client.raw.matchAll(/\r\ndate: ([^\r]*)/g)].map(([, date]) => date ?? "");
    assertEquals([dates.length, dates[0], dates[2]], [3, dates[1], "then"]);
    assertEquals(new Date(dates[0] ?? "").toUTCString(), dates[0]);
    assertEquals(Math.abs(Date.parse(dates[0] ?? "") - Date.now()) < 60_000, true);
  });

  test("that refuses a request has a Date, too", async () => {
    for (const request of ["nonsense\r\n\r\n", head("OPTIONS * HTTP/1.1")]) {
      const client = await talk(serve(ok), request);
      assertStringIncludes(client.raw.toLowerCase(), "\r\ndate: ");
    }
  });
});
