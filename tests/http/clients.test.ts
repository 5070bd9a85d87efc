/**
 * Clients of others, and a load generator, on our plain HTTP.
 *
 * @module
 */
import { describe, test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Application } from "../../src/server/application.ts";
import { findExecutable, root } from "../support/runtime.ts";
import { Child, spawnScript } from "../support/spawn.ts";

/** Answers with the path, with the body, or with nothing. */
function serve(request: Request): Response {
  const { pathname, search } = new URL(request.url);
  if (pathname === "/echo") return new Response(request.body);
  if (pathname === "/none") return new Response(null, { status: 204 });
  return new Response(pathname + search);
}

/** Runs `body` with the port of a server, and ends that. */
async function serving(
  body: (port: number) => Promise<void>,
  fetch: (request: Request) => Response = serve,
): Promise<void> {
  await using server = new Application([], { fetch }).listen({
    port: 0,
    hostname: "127.0.0.1",
  });
  await server.listening;
  await body(server.addr.port);
}

/** What a program prints until it ends. */
async function run(name: string, ...args: readonly string[]): Promise<string> {
  const child = new Child([findExecutable(name), ...args]);
  await child.exited;
  return child.output;
}

const FORMAT = " [%{http_code} %{http_version} %{num_connects}]\n";
const curl = (...args: readonly string[]) => run("curl", "-sS", "-w", FORMAT, ...args);
const BODY = "0123456789".repeat(20_000);

describe("curl", () => {
  test("uses a connection again", () =>
    serving(async (port) => {
      const url = `http://127.0.0.1:${port}`;
      const output = await curl(`${url}/a`, `${url}/b?c`, `${url}/none`, `${url}/d`);
      assertEquals(output, "/a [200 1.1 1]\n/b?c [200 1.1 0]\n [204 1.1 0]\n/d [200 1.1 0]\n");
    }));

  test("asks by HTTP/1.0, by HEAD, and for another protocol", () =>
    serving(async (port) => {
      const url = `http://127.0.0.1:${port}/a`;
      assertEquals(await curl("-0", url, url), "/a [200 1.1 1]\n/a [200 1.1 1]\n");
      const kept = await curl("-0", "-H", "Connection: keep-alive", url, url);
      assertEquals(kept, "/a [200 1.1 1]\n/a [200 1.1 0]\n");
      const head = await curl("-I", url, url);
      assertMatch(head, /^HTTP\/1\.1 200 OK\r\n[^[]+\[200 1\.1 1\]\n[^[]+\[200 1\.1 0\]\n$/);
      assertEquals(await curl("--http2", url), "/a [200 1.1 1]\n");
    }));

  for (
    const [name, ...args] of [
      ["by length", "--data-binary", BODY.slice(0, 100_000)],
      ["chunked", "--data-binary", BODY.slice(0, 100_000), "-H", "Transfer-Encoding: chunked"],
      ["after 100 Continue", "--data-binary", BODY.slice(0, 100_000), "-H", "Expect: 100-continue"],
    ]
  ) {
    test(`sends a body ${name}`, () =>
      serving(async (port) => {
        const url = `http://127.0.0.1:${port}/echo`;
        const expected = `${BODY.slice(0, 100_000)} [200 1.1 1]\n`;
        assertEquals(await curl(...args, url), expected);
        const noisy = await run("curl", "-sv", ...args, "-o", "/dev/null", url);
        assertEquals(noisy.includes("100 Continue"), name === "after 100 Continue");
      }));
  }

  test("is told that its body is too long", () =>
    serving(async (port) => {
      const url = `http://127.0.0.1:${port}/echo`;
      const length = ["-H", "Content-Length: 10000000"];
      assertStringIncludes(await curl("-X", "POST", ...length, "-d", "x", url), "[413 1.1 1]");
    }));
});

describe("undici's pool", () => {
  test("gets each answer to its request, by few connections", () =>
    serving(async (port) => {
      const child = spawnScript("tests/http/scripts/undici_pool.ts", [`${port}`], {
        runtime: "node",
      });
      const [, answered, of, connections] = await child
        .waitFor(/^(\d+) of (\d+) by (\d+) connections$/m).finally(() => child.stop());
      assertEquals(answered, of);
      assertEquals(Number(connections), 4);
    }));
});

describe("wrk", () => {
  /** How many requests are enough. */
  const ENOUGH = 2000;

  for (const pipeline of [[], ["-s", `${root}/tests/http/scripts/pipeline.lua`]]) {
    test(`gets nothing but 200${pipeline.length > 0 ? ", pipelined" : ""}`, async () => {
      const enough = Promise.withResolvers<void>();
      let served = 0;
      const count = (request: Request) => {
        if (++served === ENOUGH) enough.resolve();
        return serve(request);
      };
      await serving(async (port) => {
        // A response that takes longer than its timeout, by default 2 s, counts as an error.
        const args = [
          "-t1",
          "-c16",
          "-d60s",
          "--timeout",
          "60s",
          ...pipeline,
          `http://127.0.0.1:${port}/hello`,
        ];
        const wrk = new Child([findExecutable("wrk"), ...args]);
        try {
          await Promise.race([enough.promise, wrk.exited]);
          // Ctrl-C: it ends, and prints its result.
          assertEquals(await wrk.stop("SIGINT"), 0, wrk.output);
        } finally {
          await wrk.stop("SIGKILL");
        }
        assertMatch(wrk.output, /^ *[1-9]\d* requests in /m);
        assert(!/Socket errors|Non-2xx/.test(wrk.output), wrk.output);
      }, count);
    });
  }
});
