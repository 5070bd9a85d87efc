import { describe, test } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { HttpError } from "../../src/errors.ts";
import type { FetchInfo } from "../../src/http/fetch.ts";
import { gate, settle, untilQuiet } from "../support/rig.ts";
import { GET, head, ok, readBody, serve } from "./serve.ts";

async function rest(): Promise<void> {
  await untilQuiet();
}

const CHUNKED = head("POST / HTTP/1.1", "Transfer-Encoding: chunked");
const sized = (size: number) => head("POST / HTTP/1.1", `Content-Length: ${size}`);
const statuses = ({ raw }: { readonly raw: string }) =>
  [...raw.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** A `fetch` whose test reads the body. */
function reading() {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  const { promise, open } = gate();
  const fetch = async (request: Request) => {
    reader = request.body?.getReader();
    await promise;
    return ok();
  };
  const read = async () => {
    const { done, value } = await reader?.read() ?? { done: true, value: undefined };
    return done ? undefined : new TextDecoder().decode(value);
  };
  return { fetch, read, answer: open };
}

describe("the body of a request", () => {
  test("is there before it is whole", async () => {
    const { fetch, read, answer } = reading();
    const client = await serve(fetch).send(sized(6) + "ab");
    assertEquals(await read(), "ab");
    client.write("cd");
    assertEquals(await read(), "cd");
    const last = read();
    client.write("ef" + GET);
    assertEquals([await last, await read()], ["ef", undefined]);
    answer();
    await rest();
    assertEquals(statuses(client), [200, 200]);
  });

  test("is one piece for each read, in whatever chunks it came", async () => {
    const { fetch, read } = reading();
    const client = await serve(fetch).send(CHUNKED + "1\r\na\r\n2;x\r\nbc\r\n1\r\nd");
    assertEquals(await read(), "abcd");
    client.write("\r\n1\r\ne\r\n");
    client.write("1\r\nf\r\n0\r\n\r\n");
    await rest();
    assertEquals([await read(), await read()], ["ef", undefined]);
  });

  test("is not received faster than it is read", async () => {
    const { fetch, read } = reading();
    const rig = serve(fetch, { maxQueuedSize: 1000, maxBodySize: 1_000_000 });
    const { client } = rig.join({ capacity: 0, split: 100 });
    const size = 50_000;
    client.write(sized(size) + "x".repeat(size));
    await rest();
    const waiting = client.transport.bufferedAmount;
    assert(waiting >= size - 2000, `only ${waiting} bytes wait`);
    let received = 0;
    for (let piece = await read(); piece !== undefined; piece = await read()) {
      received += piece.length;
      assert(piece.length <= 1100, `a piece of ${piece.length} bytes`);
    }
    assertEquals([received, client.transport.bufferedAmount], [size, 0]);
  });

  test("that is not read is dropped, and the next request answered", async () => {
    for (const body of [sized(5) + "hello", CHUNKED + "5\r\nhello\r\n0\r\n\r\n"]) {
      const rig = serve(ok);
      for (let at = 1; at < body.length; at += 7) {
        const { client } = rig.join();
        client.write(body.slice(0, at));
        await rest();
        client.write(body.slice(at) + GET);
        await rest();
        assertEquals([statuses(client), client.events], [[200, 200], []], `split at ${at}`);
      }
      assertEquals(rig.logged, []);
    }
  });

  test("that is not read and long ends the connection", async () => {
    const rig = serve(ok);
    const announced = await rig.send(sized(300_000) + "x");
    await rest();
    assertEquals([statuses(announced), announced.events], [[200], ["FIN"]]);
    assertEquals(announced.parseAnswer().headers.get("connection"), "close");
    const chunked = await rig.send(CHUNKED);
    await rest();
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    for (let i = 0; i < 5; i++) chunked.write(chunk);
    await rest();
    assertEquals([statuses(chunked), chunked.events], [[200], ["FIN"]]);
  });

  test("that is not read and does not come ends the connection after handshakeTimeout", async () => {
    const rig = serve(ok, { handshakeTimeout: 1000 });
    const client = await rig.send(sized(5));
    await rest();
    assertEquals([statuses(client), client.events], [[200], []]);
    await rig.clock.advance(1100);
    assertEquals([statuses(client), client.events], [[200], ["FIN"]]);
    const left = await rig.send(sized(5));
    await rest();
    left.end();
    await rest();
    assertEquals([statuses(left), left.events], [[200], ["FIN", "gone"]]);
  });

  test("is cancelled by an application that has seen enough", async () => {
    const rig = serve(async (request) => {
      const reader = request.body?.getReader();
      await reader?.read();
      await reader?.cancel();
      return ok();
    });
    const client = await rig.send(sized(6) + "abc");
    client.write("def" + GET);
    await rest();
    assertEquals([statuses(client), rig.logged], [[200, 200], []]);
  });

  test("cannot be read after the response", async () => {
    let late: Promise<string> | undefined;
    const rig = serve((request) => {
      late = settle().then(rest).then(() => request.text());
      return ok();
    });
    const client = await rig.send(sized(6) + "abc");
    await rest();
    await assertRejects(() => late ?? Promise.resolve(""), Error);
    client.write("def" + GET);
    await rest();
    assertEquals(statuses(client), [200, 200]);
    await late?.catch(() => {});
  });

  test("that is complete can be read after the response", async () => {
    const texts: Promise<string>[] = [];
    const rig = serve((request) => {
      texts.push(rest().then(() => request.text()));
      return ok();
    });
    const client = await rig.send(sized(3) + "abc" + GET);
    await rest();
    await rest();
    assertEquals([await texts[0], statuses(client)], ["abc", [200, 200]]);
  });

  for (const answered of [false, true]) {
    test(`that is too long errors, ${answered ? "after" : "before"} the response`, async () => {
      const errors: unknown[] = [];
      const { promise } = gate();
      const rig = serve(async (request) => {
        const body = request.text().catch((error) => errors.push(error));
        if (!answered) await body;
        return new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(new Uint8Array(1));
              await promise;
            },
          }),
        );
      }, { maxBodySize: 5 });
      const client = await rig.send(CHUNKED + "3\r\nabc\r\n");
      await rest();
      client.write("3\r\nabc\r\n");
      await rest();
      assertEquals(statuses(client), [answered ? 200 : 413]);
      assertEquals(client.events, [answered ? "reset" : "FIN"]);
      assert(errors[0] instanceof HttpError, `${errors[0]}`);
      assertEquals([errors[0].status, rig.logged], [413, []]);
    });
  }

  test("that is malformed errors", async () => {
    const rig = serve(readBody);
    const client = await rig.send(CHUNKED + "3\r\nabc\r\n");
    client.write("nonsense\r\n");
    await rest();
    assertEquals([statuses(client), client.events, rig.logged], [[400], ["FIN"], []]);
  });

  test("errors when the client is gone", async () => {
    let failed: unknown;
    const rig = serve(async (request) => {
      await request.text().catch((error) => failed = error);
      return ok();
    });
    const client = await rig.send(sized(5) + "abc");
    client.reset();
    await rest();
    assertStringIncludes(`${failed}`, "the connection is closed");
    assertEquals(rig.logged, []);
  });

  test("may take as long as bytes come, and each may take handshakeTimeout", async () => {
    const rig = serve(readBody, { handshakeTimeout: 1000 });
    const client = await rig.send(sized(6));
    for (const byte of "hello") {
      await rig.clock.advance(900);
      client.write(byte);
    }
    await rig.clock.advance(900);
    assertEquals(client.raw, "");
    client.write("!");
    await rest();
    assertStringIncludes(client.raw, "hello!");
    const late = await rig.send(CHUNKED);
    await rig.clock.advance(900);
    // The framing of a body does not count.
    late.write("1;x=y");
    await rig.clock.advance(200);
    assertEquals([statuses(late), rig.logged], [[408], []]);
  });

  test("is echoed while it arrives", async () => {
    const rig = serve((request) => new Response(request.body));
    const client = await rig.send(CHUNKED + "3\r\nabc\r\n");
    await rest();
    assertEquals(client.parseAnswer().body, "3\r\nabc\r\n");
    client.write("2\r\nde\r\n0\r\n\r\n" + GET);
    await rest();
    assertStringIncludes(client.raw, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
  });
});

describe("the signal of a request", () => {
  for (const [name, leave] of [["resets", "reset"], ["ends its side", "end"]] as const) {
    test(`aborts when the client ${name} before the response`, async () => {
      const reasons: unknown[] = [];
      const rig = serve((request) =>
        new Promise((_, reject) => {
          request.signal.addEventListener("abort", () => {
            reasons.push(request.signal.reason);
            reject(request.signal.reason);
          });
        })
      );
      const client = await rig.send(GET);
      client[leave]();
      await rest();
      assertEquals([reasons.length, rig.logged], [1, []]);
      assert(reasons[0] instanceof Error && reasons[0].name === "AbortError", `${reasons[0]}`);
    });
  }

  test("aborts in the middle of a response, and is aborted where it is read later", async () => {
    const requests: Request[] = [];
    const { promise } = gate();
    const rig = serve((request) => {
      requests.push(request);
      return new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new Uint8Array(1));
            await promise;
          },
        }),
      );
    });
    const client = await rig.send(GET);
    await rest();
    client.reset();
    await rest();
    assertEquals(requests[0]?.signal.aborted, true);
    assert(requests[0]?.signal.reason instanceof Error);
  });

  test("does not abort after the response", async () => {
    const signals: AbortSignal[] = [];
    const rig = serve((request) => {
      signals.push(request.signal, request.signal);
      return ok();
    });
    const client = await rig.send(GET);
    await rest();
    client.reset();
    await rest();
    assertEquals([signals[0] === signals[1], signals[0]?.aborted], [true, false]);
  });
});

describe("the second argument of fetch", () => {
  test("has the address of the client, and whether it uses TLS", async () => {
    const infos: FetchInfo[] = [];
    const rig = serve((_, info) => {
      infos.push(info);
      return ok();
    }, { trustProxy: ["127.0.0.1"] });
    const forwarded = head(
      "GET / HTTP/1.1",
      "X-Forwarded-For: 192.0.2.7",
      "X-Forwarded-Proto: https",
    );
    await rig.send(GET + forwarded + GET);
    await rest();
    const { hostname, transport } = infos[0]?.remoteAddr ?? {};
    assertEquals([transport, hostname, infos[0]?.secure], ["tcp", "127.0.0.1", false]);
    const expected = { transport: "tcp", hostname: "192.0.2.7", port: 0 };
    assertEquals(infos[1], { remoteAddr: expected, secure: true } as FetchInfo);
    // A proxy brings many clients on one connection.
    assertEquals(infos[2], infos[0]);
  });

  test("does not reach a request whose framing is malformed in its first bytes", async () => {
    let called = 0;
    const rig = serve(() => {
      called++;
      return ok();
    });
    const client = await rig.send(CHUNKED + "x\r\n");
    await rest();
    assertEquals([statuses(client), called], [[400], 0]);
  });
});
