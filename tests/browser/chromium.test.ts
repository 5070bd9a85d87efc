import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type EchoExample, echoOf, startEchoExample } from "../support/echo_example.ts";
import { runtimes } from "../support/runtime.ts";
import { spawnScript } from "../support/spawn.ts";
import { launchChromium } from "./chromium.ts";
import { openEchoPage, type Phantom } from "./phantomjs.ts";

/** The globals of the example's page. */
interface EchoPage {
  readonly socket: WebSocket;
  readonly received: (string | Blob)[];
  send(text: string): void;
}

/** The code of `evaluate` is sent to the page as text. There, the global object is that of the page. */
declare const globalThis: EchoPage;

/** Opens the example's page and waits for its socket. */
async function open(): Promise<Page> {
  const opened = await browser.newPage();
  await opened.goto(`http://127.0.0.1:${example.port}/`);
  await opened.locator("#log div", { hasText: /^open/ }).waitFor();
  return opened;
}

/** Waits until the page has received a number of echoes. */
async function echoes(opened: Page, count: number): Promise<void> {
  await opened.waitForFunction((wanted) => globalThis.received.length >= wanted, count);
}

/** One browser for all tests, since its start takes longer than a test. */
let browser: Browser;

/** The example of a runtime, for its tests. */
let example: EchoExample;

/** Runs `body`, and closes the pages. */
async function withPages(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } finally {
    for (const context of browser.contexts()) await context.close();
  }
}

describe("a current browser", () => {
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  for (const runtime of runtimes) {
    describe(`Chromium uses the echo example's page, served by ${runtime}`, () => {
      before(async () => {
        example = await startEchoExample(runtime);
      });
      after(() => example.child.stop("SIGKILL"));

      test("text that is typed and sent, empty, long and not ASCII, compressed", () =>
        withPages(async () => {
          const opened = await open();
          await opened.fill("#message", "Hello, 日本語 👋");
          await opened.click("#send");
          const texts = ["", "x".repeat(1 << 20), "語".repeat(1 << 16), "last"];
          await opened.evaluate((all) => all.forEach((text) => globalThis.send(text)), texts);
          await echoes(opened, 5);
          const received = await opened.evaluate(() => globalThis.received);
          assertEquals(received, ["Hello, 日本語 👋", ...texts].map(echoOf));
          const extensions = await opened.evaluate(() => globalThis.socket.extensions);
          assertMatch(extensions, /^permessage-deflate/);
        }));

      test("binary messages, up to 1 MiB", () =>
        withPages(async () => {
          const opened = await open();
          const sizes = [0, 1, 125, 126, 65_536, 1 << 20];
          const same = await opened.evaluate(async (all) => {
            globalThis.socket.binaryType = "arraybuffer";
            const echo = (bytes: Uint8Array<ArrayBuffer>): Promise<boolean> =>
              new Promise((resolve) => {
                globalThis.socket.addEventListener("message", ({ data }) => {
                  const back = new Uint8Array(data);
                  resolve(
                    back.length === bytes.length && back.every((byte, i) => byte === bytes[i]),
                  );
                }, { once: true });
                globalThis.socket.send(bytes);
              });
            const results: boolean[] = [];
            for (const size of all) {
              results.push(
                await echo(Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8))),
              );
            }
            return results;
          }, sizes);
          assertEquals(same, sizes.map(() => true));
        }));

      test("closing with code and reason, from the page", () =>
        withPages(async () => {
          const opened = await open();
          const closed = await opened.evaluate(() =>
            new Promise<[number, boolean]>((resolve) => {
              globalThis.socket.addEventListener(
                "close",
                ({ code, wasClean }) => resolve([code, wasClean]),
              );
              globalThis.socket.close(4321, "enough");
            })
          );
          assertEquals(closed, [4321, true]);
        }));

      test("at the same time as PhantomJS 2.1.1 and PhantomJS 1.9.8, until the server goes away", () =>
        withPages(async () => {
          const url = `http://127.0.0.1:${example.port}/`;
          const texts = [
            "Hello",
            "",
            "Ahoj, 日本語",
            ...Array.from({ length: 50 }, (_, i) => `${i}`),
          ];
          const phantoms: Phantom[] = [openEchoPage(1, url, texts), openEchoPage(2, url, texts)];
          try {
            const opened = await open();
            await opened.evaluate((all) => all.forEach((text) => globalThis.send(text)), texts);
            await echoes(opened, texts.length);
            assertEquals(await opened.evaluate(() => globalThis.received), texts.map(echoOf));
            for (const { child } of phantoms) {
              const [, json = ""] = await child.waitFor(/^echoed (.*)\n/m);
              assertEquals(JSON.parse(json), texts.map(echoOf));
            }
            // Ctrl-C closes all three.
            assertEquals(await example.child.stop("SIGINT"), 0, example.child.output);
            await opened.locator("#log div", { hasText: /^closed: 1001/ }).waitFor();
            for (const { child } of phantoms) {
              await child.waitFor(/^closed /m);
              assertEquals(await child.exited, 0);
            }
            assertStringIncludes(await opened.title(), "Echo");
          } finally {
            for (const phantom of phantoms) await phantom.stop();
          }
        }));
    });

    test(`Chromium and a handler on ${runtime} receive each other's code and reason`, async () => {
      const child = spawnScript("tests/browser/scripts/closing.ts", [], { runtime });
      try {
        const [, port] = await child.waitFor(/^ready (\d+)$/m);
        const opened = await browser.newPage();
        await opened.goto(`http://127.0.0.1:${port}/`);
        const closed = await opened.evaluate(async () => {
          const end = (begin: (socket: WebSocket) => void): Promise<[number, string]> =>
            new Promise((resolve) => {
              const socket = new WebSocket(`ws://${location.host}/`);
              socket.onopen = () => begin(socket);
              socket.onclose = ({ code, reason }) => resolve([code, reason]);
            });
          const byPage = await end((socket) => socket.close(4000, "that’s all"));
          const byServer = await end((socket) => socket.send("close me"));
          return [byPage[0], ...byServer];
        });
        assertEquals(closed, [4000, 4321, "as you wish"]);
        await child.waitFor(/^closed 4000 that’s all\nclosed 4321/m);
        await opened.context().close();
      } finally {
        await child.stop("SIGKILL");
      }
    });
  }
});
