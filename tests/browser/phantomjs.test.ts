import { assertEquals, assertMatch } from "@std/assert";
import { describe, test } from "node:test";
import { type EchoExample, echoOf, startEchoExample } from "../support/echo_example.ts";
import { type Runtime, runtimes } from "../support/runtime.ts";
import { openEchoPage, type Phantom, type PhantomVersion } from "./phantomjs.ts";

/** The first text is typed into the page. All of them are sent at once, in this order. */
const texts: readonly string[] = [
  "Hello",
  "",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  "\u0000\u0001\u007f\u0080\u07ff\u0800\ud7ff\ufffd\u{10000}\u{10fffd}",
  "a".repeat(100 * 1024),
  "語".repeat(100 * 1024 / 3),
  ...Array.from({ length: 200 }, (_, index) => `burst ${index}`),
];

/** Runs `body` with the example and browsers on its page, and ends them all. */
async function withBrowsers(
  runtime: Runtime,
  versions: readonly PhantomVersion[],
  body: (example: EchoExample, browsers: readonly Phantom[]) => Promise<void>,
): Promise<void> {
  const example = await startEchoExample(runtime);
  const browsers: Phantom[] = [];
  try {
    const url = `http://127.0.0.1:${example.port}/`;
    for (const version of versions) browsers.push(openEchoPage(version, url, texts));
    await body(example, browsers);
  } finally {
    for (const browser of browsers) await browser.stop();
    await example.child.stop("SIGKILL");
  }
}

/** Returns what the browser has printed after `word`. */
async function printed(phantom: Phantom, word: string): Promise<string[]> {
  const [, json = ""] = await phantom.child.waitFor(new RegExp(`^${word} (.*)\n`, "m"));
  return JSON.parse(json);
}

/** The browser gets every text back. Then Ctrl-C ends the server, which closes the browser's socket. */
async function echoAndClose(example: EchoExample, browsers: readonly Phantom[]): Promise<void> {
  for (const browser of browsers) {
    assertEquals(await printed(browser, "echoed"), texts.map(echoOf));
  }
  assertEquals(await example.child.stop("SIGINT"), 0, example.child.output);
  for (const browser of browsers) {
    const log = await printed(browser, "closed");
    assertEquals(log.filter((line) => line.startsWith("received: ")).length, texts.length);
    assertMatch(log.at(-1) ?? "", /^closed/);
    assertEquals(await browser.child.exited, 0);
  }
}

describe("the echo example's page is used by PhantomJS 1.9.8 and 2.1.1", () => {
  // The older speaks draft76, the newer RFC 6455.
  for (const runtime of runtimes) {
    // That two of each disturb each other would be no matter of the runtime.
    const versions: readonly PhantomVersion[] = runtime === "node" ? [1, 2, 1, 2] : [1, 2];
    test(`${versions.length} at a time, served by ${runtime}`, () =>
      withBrowsers(runtime, versions, echoAndClose));
  }
});
