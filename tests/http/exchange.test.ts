import { describe, test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { gate, settle, untilQuiet } from "../support/rig.ts";
import { ask, GET, head, ok, readBody, serve } from "./serve.ts";

describe("a response", () => {
  test("has a length if it is all there, and the connection goes on", async () => {
    for (
      const body of [
        () => "hello",
        () => new TextEncoder().encode("hello"),
      ]
    ) {
      const { status, headers, body: got } = await ask(() => new Response(body()), GET);
      assertEquals([status, headers.get("content-length"), got], [200, "5", "hello"]);
      assertEquals([headers.get("transfer-encoding"), headers.get("connection")], [null, null]);
    }
  });

  test("is chunked if its end is not there at once", async () => {
    const { promise, open } = gate();
    const bytes = new TextEncoder().encode("hello");
    const late = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(bytes);
        await promise;
        controller.enqueue(bytes.slice(0, 0));
        controller.enqueue(bytes);
        controller.close();
      },
    });
    const client = await serve(() => new Response(late)).send(GET);
    assertEquals(client.parseAnswer().headers.get("transfer-encoding"), "chunked");
    assertEquals(client.parseAnswer().body, "5\r\nhello\r\n");
    open();
    await untilQuiet();
    assertEquals(client.parseAnswer().body, "5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n");
    assertEquals(client.events, []);
  });

  for (const pingInterval of [20_000, 0]) {
    const how = pingInterval > 0 ? "with TCP keep-alive" : "without, as pingInterval is 0";
    test(`goes to a client that has sent FIN, ${how}`, async () => {
      const { promise, open } = gate();
      const fetch = async () => {
        await promise;
        return new Response("late");
      };
      const rig = serve(fetch, { pingInterval });
      const { client, transport } = rig.join();
      const asked: unknown[] = [];
      transport.setKeepAlive = (...args) => asked.push(args);
      client.write(GET);
      client.end();
      await settle();
      assertEquals([asked, client.events], [pingInterval > 0 ? [[true, pingInterval]] : [], []]);
      open();
      await settle();
      assertStringIncludes(client.raw, "late");
    });
  }

  test("is sent as it is where its length is told", async () => {
    const fetch = () => new Response("hello", { headers: { "Content-Length": "5" } });
    const { headers, body } = await ask(fetch, GET);
    assertEquals([headers.get("transfer-encoding"), body], [null, "hello"]);
  });

  test("without a body has the length 0", async () => {
    const { headers, body } = await ask(() => new Response(null), GET);
    assertEquals([headers.get("content-length"), body], ["0", ""]);
  });

  test("to HTTP/1.0 ends with the connection", async () => {
    const { headers, body } = await ask(() => new Response("hello"), head("GET / HTTP/1.0"));
    assertEquals([headers.get("transfer-encoding"), body], [null, "hello"]);
  });

  for (
    const [name, request, response] of [
      ["to HEAD", head("HEAD / HTTP/1.1"), () => new Response("hello")],
      ["with 204", GET, () => new Response(null, { status: 204 })],
      ["with 304", GET, () => new Response(null, { status: 304 })],
    ] as const
  ) {
    test(`${name} has no body`, async () => {
      const { headers, raw, events } = await ask(response, request);
      assertEquals(raw.endsWith("\r\n\r\n"), true);
      assertEquals(headers.get("transfer-encoding"), null);
      assertEquals(events, ["FIN", "gone"]);
    });
  }

  test("keeps the application's fields but those of the connection", async () => {
    const fetch = () =>
      new Response("x", {
        status: 201,
        statusText: "Made",
        headers: [
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
          ["X", "caf\u00e9"],
          ["Keep-Alive", "timeout=5"],
          ["Upgrade", "h2c"],
          ["Trailer", "X"],
        ],
      });
    const { line, headers, raw } = await ask(fetch, GET);
    assertEquals(line, "HTTP/1.1 201 Made");
    assertEquals(headers.getSetCookie(), ["a=1", "b=2"]);
    assertStringIncludes(raw, "\r\nx: caf\u00e9\r\n");
    assertEquals(["keep-alive", "upgrade", "trailer"].filter((name) => headers.has(name)), []);
  });

  test("waits for a promise of the application, with no time limit of ours", async () => {
    const { promise, open } = gate();
    const rig = serve(async () => {
      await promise;
      return new Response("late");
    });
    const client = await rig.send(GET);
    await rig.clock.advance(100_000);
    assertEquals(client.raw, "");
    open();
    await untilQuiet();
    assertStringIncludes(client.raw, "late");
  });
});

describe("a request", () => {
  test("reaches the application as a Request", async () => {
    const seen: unknown[] = [];
    const fetch = (request: Request) => {
      seen.push(request.method, request.url, request.headers.get("x"), request.body);
      return ok();
    };
    await ask(fetch, head("GET /a%20b?c=d&e HTTP/1.1", "X:  y  "));
    assertEquals(seen, ["GET", "http://example.com/a%20b?c=d&e", "y", null]);
  });

  test("in absolute form names its own host", async () => {
    const urls: string[] = [];
    const fetch = (request: Request) => {
      urls.push(request.url);
      return ok();
    };
    await ask(fetch, head("GET http://other.example:8080/x?y HTTP/1.1"));
    assertEquals(urls, ["http://other.example:8080/x?y"]);
    const refused = await ask(fetch, head("GET http://evil.example/ HTTP/1.1"), {
      allowedHosts: ["example.com"],
    });
    assertEquals([refused.status, urls.length], [421, 1]);
  });

  for (
    const [name, fields, body] of [
      ["by length", ["Content-Length: 11"], "hello world"],
      [
        "chunked",
        ["Transfer-Encoding: chunked"],
        "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: r\r\n\r\n",
      ],
    ] as const
  ) {
    for (const split of [Infinity, 1]) {
      test(`has its body ${name}${split === 1 ? ", byte by byte" : ""}`, async () => {
        const bodies: string[] = [];
        const rig = serve(async (request) => {
          bodies.push(await request.text());
          return ok();
        });
        const { client } = rig.join({ split });
        client.write(head("POST / HTTP/1.1", ...fields) + body);
        await untilQuiet();
        assertEquals([bodies, client.parseAnswer().status], [["hello world"], 200]);
      });
    }
  }

  test("may be a GET with a body, which means nothing", async () => {
    const { status, logged } = await ask(ok, head("GET / HTTP/1.1", "Content-Length: 5") + "hello");
    assertEquals([status, logged], [200, []]);
  });

  test("is followed by the next one on the connection", async () => {
    const paths: string[] = [];
    const fetch = (request: Request) => {
      paths.push(new URL(request.url).pathname);
      return ok();
    };
    const second = head("GET /second HTTP/1.1");
    const { raw } = await ask(
      fetch,
      head("POST /first HTTP/1.1", "Content-Length: 2") + "ab" + second,
    );
    assertEquals([paths, raw.split("HTTP/1.1 ").length - 1], [["/first", "/second"], 2]);
  });

  const expecting = (version: string, length: number) =>
    head(`POST / HTTP/${version}`, "Expect: 100-Continue", `Content-Length: ${length}`);

  for (
    const [version, length, continues] of [
      ["1.1", 5, true],
      ["1.1", 0, false],
      ["1.0", 5, false],
    ] as const
  ) {
    const what = `HTTP/${version} with a body of ${length}`;
    test(`that expects 100-continue gets it when the body is read: ${what}`, async () => {
      const { promise, open } = gate();
      const rig = serve(async (request) => {
        await promise;
        return new Response(await request.text());
      });
      const client = await rig.send(expecting(version, length));
      assertEquals(client.raw, "");
      open();
      await untilQuiet();
      assertEquals(client.raw.startsWith("HTTP/1.1 100 Continue\r\n\r\n"), continues);
      client.write("hello".slice(0, length));
      await untilQuiet();
      assertStringIncludes(client.raw, "HTTP/1.1 200 OK");
      assertEquals(client.raw.endsWith("hello".slice(0, length)), true);
    });
  }

  test("that expects 100-continue gets none if it has sent its body uninvited", async () => {
    const { raw, status } = await ask(readBody, `${expecting("1.1", 5)}hello`);
    assertEquals([status, raw.includes("100 Continue")], [200, false]);
  });

  test("that expects 100-continue is answered without it if the body is not read", async () => {
    const rig = serve(ok);
    // What follows may be the body or a request: only the end of the connection tells.
    const client = await rig.send(expecting("1.1", 5));
    await untilQuiet();
    const { status, headers } = client.parseAnswer();
    assertEquals([status, headers.get("connection")], [200, "close"]);
    assertEquals(client.events, ["FIN"]);
  });

  test("that expects anything else is answered with 417, in HTTP/1.1", async () => {
    const expecting = (version: string) => head(`GET / HTTP/${version}`, "Expect: a miracle");
    assertEquals((await ask(ok, expecting("1.1"))).status, 417);
    assertEquals((await ask(ok, expecting("1.0"))).status, 200);
  });

  const smuggled: [name: string, status: number, fields: readonly string[], body?: string][] = [
    ["both lengths", 400, ["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
    ["two lengths", 400, ["Content-Length: 5", "Content-Length: 6"], "hello"],
    ["one length twice", 400, ["Content-Length: 5", "Content-Length: 5"], "hello"],
    ["a length with a sign", 400, ["Content-Length: +5"], "hello"],
    ["a negative length", 400, ["Content-Length: -1"]],
    ["a hexadecimal length", 400, ["Content-Length: 0x5"], "hello"],
    ["another coding", 501, ["Transfer-Encoding: gzip, chunked"]],
    ["chunked twice", 501, ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
    ["a chunk size that is none", 400, ["Transfer-Encoding: chunked"], "x\r\n"],
    ["a chunk size with a sign", 400, ["Transfer-Encoding: chunked"], "-1\r\n"],
    ["a chunk that is longer than it says", 400, ["Transfer-Encoding: chunked"], "2\r\nhello\r\n"],
    ["a chunk line that ends in LF", 400, ["Transfer-Encoding: chunked"], "5\nhello\n0\n\n"],
    ["a huge chunk size", 400, ["Transfer-Encoding: chunked"], "fffffffffffffffff\r\n"],
  ];
  for (const [name, status, fields, body = ""] of smuggled) {
    test(`with ${name} is refused with ${status}`, async () => {
      let served = 0;
      const fetch = () => {
        served++;
        return ok();
      };
      const answer = await ask(fetch, head("POST / HTTP/1.1", ...fields) + body);
      assertEquals([answer.status, served, answer.logged], [status, 0, []]);
    });
  }

  for (const method of ["TRACE", "TRACK", "CONNECT", "get", "Post", "head"]) {
    test(`of the method ${method} is refused with 501`, async () => {
      const { status, logged } = await ask(ok, head(`${method} / HTTP/1.1`));
      assertEquals([status, logged], [501, []]);
    });
  }

  for (const [size, status] of [[1000, 200], [1001, 413]] as const) {
    test(`with a body of ${size} bytes is answered with ${status} where maxBodySize is 1000`, async () => {
      const settings = { maxBodySize: 1000 };
      const bytes = "x".repeat(size);
      const sized = head("POST / HTTP/1.1", `Content-Length: ${size}`) + bytes;
      assertEquals((await ask(ok, sized, settings)).status, status);
      const chunk = `3e8\r\n${bytes.slice(0, 1000)}\r\n`;
      const more = size > 1000 ? "1\r\nx\r\n" : "";
      const chunked = head("POST / HTTP/1.1", "Transfer-Encoding: chunked") + chunk + more;
      assertEquals((await ask(ok, `${chunked}0\r\n\r\n`, settings)).status, status);
    });
  }

  test("whose body does not come is answered with 408", async () => {
    const rig = serve(readBody, { handshakeTimeout: 1000 });
    const client = await rig.send(head("POST / HTTP/1.1", "Content-Length: 5") + "hell");
    await rig.clock.advance(990);
    assertEquals(client.raw, "");
    await rig.clock.advance(60);
    assertEquals(client.parseAnswer().status, 408);
    assertEquals(rig.logged, []);
  });

  test("whose body is cut off is answered with 400", async () => {
    const request = head("POST / HTTP/1.1", "Content-Length: 5") + "hell";
    for (const fetch of [readBody, () => new Promise<never>(() => {})]) {
      const rig = serve(fetch);
      const client = await rig.send(request);
      client.end();
      await untilQuiet();
      assertEquals([client.parseAnswer().status, rig.logged], [400, []]);
    }
  });
});
