import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type EchoExample, echoOf, startEchoExample } from "../support/echo_example.ts";
import { runtimes } from "../support/runtime.ts";
import { type Child, spawnScript } from "../support/spawn.ts";
import { launchChromium } from "./chromium.ts";
import { openEchoPage, type Phantom, type PhantomVersion } from "./phantomjs.ts";
import { closeBothWays, echoBinary, echoOverHttp2 } from "./page.ts";
import type { Seen } from "./scripts/server.ts";

/** The globals of the example's page. */
interface EchoPage {
  readonly socket: WebSocket;
  readonly received: (string | Blob)[];
  send(text: string): void;
}

/** The code of `evaluate` is sent to the page as text. There, the global object is that of the page. */
declare const globalThis: EchoPage;

/** What all browsers send, while they are all connected. */
const TEXTS: readonly string[] = [
  "Hello",
  "",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  "\u0000\u0001\u007f\u0080\u07ff\u0800\ud7ff\ufffd\u{10000}\u{10fffd}",
  "a".repeat(100 * 1024),
  "語".repeat(100 * 1024 / 3),
  ...Array.from({ length: 200 }, (_, index) => `burst ${index}`),
];

/** Opens the example's page and waits for its socket. */
async function open(page: Page, { port }: EchoExample): Promise<void> {
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.locator("#log div", { hasText: /^open/ }).waitFor();
}

/** Types the first text and sends all others at once. Returns what the page has received. */
async function echo(page: Page, [typed = "", ...others]: readonly string[]): Promise<unknown[]> {
  await page.fill("#message", typed);
  await page.click("#send");
  await page.evaluate((all) => all.forEach((text) => globalThis.send(text)), others);
  await page.waitForFunction((count) => globalThis.received.length >= count, 1 + others.length);
  return await page.evaluate(() => globalThis.received);
}

/** Returns what a PhantomJS has printed after `word`. */
async function printed({ child }: Phantom, word: string): Promise<string[]> {
  const [, json = ""] = await child.waitFor(new RegExp(`^${word} (.*)\n`, "m"));
  return JSON.parse(json);
}

/** All browsers have their texts echoed. Then Ctrl-C ends the server, which closes their sockets. */
async function echoAndEnd(
  page: Page,
  example: EchoExample,
  phantoms: readonly Phantom[],
): Promise<void> {
  await open(page, example);
  const expected = TEXTS.map(echoOf);
  assertEquals(await echo(page, TEXTS), expected);
  for (const phantom of phantoms) assertEquals(await printed(phantom, "echoed"), expected);
  assertEquals(await example.child.stop("SIGINT"), 0, example.child.output);
  await page.locator("#log div", { hasText: /^closed: 1001/ }).waitFor();
  for (const phantom of phantoms) {
    const log = await printed(phantom, "closed");
    assertEquals(log.filter((line) => line.startsWith("received: ")).length, TEXTS.length);
    assertMatch(log.at(-1) ?? "", /^closed/);
    assertEquals(await phantom.child.exited, 0);
  }
  assertStringIncludes(await page.title(), "Echo");
}

describe("a current browser", () => {
  /** One browser for all tests, since its start takes longer than a test. */
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  for (const runtime of runtimes) {
    describe(`Chromium with servers on ${runtime}`, () => {
      let example: EchoExample, server: Child, page: Page, ports: string[];
      before(async () => {
        server = spawnScript("tests/browser/scripts/server.ts", [], { runtime });
        example = await startEchoExample(runtime);
        ports = (await server.waitFor(/^ready (\d+) (\d+) (\d+)$/m)).slice(1);
        page = await browser.newPage({ ignoreHTTPSErrors: true });
      });
      after(async () => {
        await page?.context().close();
        await Promise.all([example?.child.stop("SIGKILL"), server.stop("SIGKILL")]);
      });

      test("echoes what is typed and sent, empty, long and not ASCII, compressed", async () => {
        await open(page, example);
        const texts = ["Hello, 日本語 👋", "", "x".repeat(1 << 20), "語".repeat(1 << 16), "last"];
        assertEquals(await echo(page, texts), texts.map(echoOf));
        const extensions = await page.evaluate(() => globalThis.socket.extensions);
        assertMatch(extensions, /^permessage-deflate/);
      });

      test("echoes binary messages, up to 1 MiB, and closes with code and reason", async () => {
        await open(page, example);
        const sizes = [0, 1, 125, 126, 65_536, 1 << 20];
        assertEquals(await page.evaluate(echoBinary, sizes), sizes.map(() => true));
        const closed = await page.evaluate(() =>
          new Promise<[number, boolean]>((resolve) => {
            globalThis.socket.addEventListener(
              "close",
              ({ code, wasClean }) => resolve([code, wasClean]),
            );
            globalThis.socket.close(4321, "enough");
          })
        );
        assertEquals(closed, [4321, true]);
      });

      test("receives a handler's code and reason, and the handler those of the page", async () => {
        await page.goto(`http://127.0.0.1:${ports[0]}/`);
        assertEquals(await page.evaluate(closeBothWays), [4000, 4321, "as you wish"]);
        await server.waitFor(/^closed 4000 that’s all\nclosed 4321/m);
      });

      for (const [at, host] of [[1, "an attached server"], [2, "a listener of ours"]] as const) {
        test(`opens its WebSockets as streams of the page's session, of ${host}`, async () => {
          await page.goto(`https://localhost:${ports[at]}/`);
          assertEquals(await page.title(), "Over HTTP/2");
          assertEquals(await page.evaluate(echoOverHttp2), [
            [true, true, true],
            "chat",
            "permessage-deflate",
            [4000, "enough", true],
            [4321, "as you wish", true],
          ]);
          const seen: Seen = await page.evaluate(async () => await (await fetch("/seen")).json());
          // Over HTTP/1.1, there would be no streams.
          assert(seen.sockets.every(({ stream }) => typeof stream === "number"));
          assertEquals(seen.sockets.map(({ session }) => session), [0, 0]);
          if (host === "an attached server") assertEquals([seen.sessions, seen.page], [1, 0]);
        });
      }

      // PhantomJS 1.9.8 speaks draft76, and 2.1.1 RFC 6455. That two of each disturb each other would be
      // no matter of the runtime.
      const versions: readonly PhantomVersion[] = runtime === "node" ? [1, 2, 1, 2] : [1, 2];
      test(`echoes beside ${versions.length} PhantomJS, until the server goes away`, async () => {
        const url = `http://127.0.0.1:${example.port}/`;
        const phantoms: Phantom[] = [];
        try {
          for (const version of versions) phantoms.push(openEchoPage(version, url, TEXTS));
          await echoAndEnd(page, example, phantoms);
        } finally {
          for (const phantom of phantoms) await phantom.stop();
        }
      });
    });
  }
});
