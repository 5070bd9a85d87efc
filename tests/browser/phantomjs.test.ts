import { assertEquals, assertMatch } from "@std/assert";
import { describe, test } from "node:test";
import { type EchoExample, startEchoExample } from "../support/echo_example.ts";
import { openEchoPage, type Phantom } from "./phantomjs.ts";

/** The first is typed into the page's box; all are sent at once, in this order. */
const texts: readonly string[] = [
  "Hello",
  "",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  "\u0000\u0001\u007f\u0080\u07ff\u0800\ud7ff\ufffd\u{10000}\u{10fffd}",
  "a".repeat(100 * 1024),
  "語".repeat(100 * 1024 / 3),
  ...Array.from({ length: 200 }, (_, index) => `burst ${index}`),
];

/** Runs `body` with the example and one browser at its page, and ends both. */
async function withBrowser(
  body: (example: EchoExample, phantom: Phantom) => Promise<void>,
): Promise<void> {
  const example = await startEchoExample();
  try {
    const phantom = openEchoPage(1, `http://127.0.0.1:${example.port}/`, texts);
    try {
      await body(example, phantom);
    } finally {
      await phantom.stop();
    }
  } finally {
    await example.child.stop("SIGKILL");
  }
}

/** What the browser has printed behind `word`. */
async function printed(phantom: Phantom, word: string): Promise<string[]> {
  const [, json = ""] = await phantom.child.waitFor(new RegExp(`^${word} (.*)\n`, "m"));
  return JSON.parse(json);
}

describe("PhantomJS 1.9.8 on the echo example's page", () => {
  test("gets every text back, and is closed by Ctrl-C on the server", () =>
    withBrowser(async (example, phantom) => {
      assertEquals(await printed(phantom, "echoed"), texts);
      assertEquals(await example.child.stop("SIGINT"), 0, example.child.output);
      const log = await printed(phantom, "closed");
      assertEquals(log.filter((line) => line.startsWith("received: ")).length, texts.length);
      assertMatch(log.at(-1) ?? "", /^closed/);
      assertEquals(await phantom.child.exited, 0);
    }));
});
