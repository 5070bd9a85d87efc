import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../browser/chromium.ts";
import { runPhantom } from "../browser/phantomjs.ts";
import { Draft76Client } from "../support/draft76_client.ts";
import { type Example, startExample } from "../support/example.ts";
import { runtimes } from "../support/runtime.ts";
import { takePicture } from "./picture.ts";

async function openRoom(browser: Browser, url: string, name: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 900, height: 600 } });
  await page.goto(url);
  await page.fill("#name", name);
  await page.click("#enter button");
  await page.waitForSelector("#people li");
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

/** The texts that a page shows, once `text` is among them. */
async function texts(page: Page, text: string): Promise<string[]> {
  await page.locator("#list .text", { hasText: text }).waitFor();
  return await page.locator("#list .text").allTextContents();
}

/** The dialogue. Each person speaks after the line before has arrived. */
const dialogue: readonly (readonly ["Ada" | "Vera", string])[] = [
  ["Ada", "日本語 \u{1f44b} \u{10fffd}"],
  ["Ada", "Hello! Is anybody here?"],
  [
    "Vera",
    "Yes. I am watching from the television in the kitchen \u2013 PhantomJS 1.9.8, draft76.",
  ],
  ["Ada", "And I from a browser of this year. We should not be able to talk at all."],
  ["Vera", "Žluťoučký kůň, κόσμε, мир: with <b>all my \u2665</b>."],
  ["Ada", "All of it has arrived, unbroken and unbold."],
  ["Ada", "Greetings to whoever comes next!"],
  ["Vera", "Fifteen years between us, and one handler."],
];

describe("the chat example", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  for (const runtime of runtimes) {
    describe(`on ${runtime}`, () => {
      let url: URL;
      let example: Example;
      before(async () => {
        example = await startExample(runtime, "examples/chat.ts", "0");
        url = example.url;
      });
      after(() => example.child.stop("SIGKILL"));

      test("joins PhantomJS 1.9.8 and Chromium in one room", async () => {
        const veras = dialogue.flatMap(([who, text], index) =>
          who === "Vera" ? [[dialogue[index - 1]?.[1] ?? "", text]] : []
        );
        const room = new URL("/chat/kitchen", url);
        const script = "tests/browser/chat_page.phantom.js";
        const phantom = runPhantom(1, script, [room.href, "Vera", JSON.stringify(veras)]);
        try {
          await phantom.child.waitFor(/^entered$/m);
          const ada = await openRoom(browser, room.href, "Ada");
          assertEquals(await ada.locator("#people li").allTextContents(), ["VVera", "AAda (you)"]);
          for (const [who, text] of dialogue) {
            if (who === "Ada") await say(ada, text);
            await texts(ada, text);
          }
          const said = dialogue.map(([, text]) => text);
          assertEquals(await ada.locator("#list .text").allTextContents(), said);
          await phantom.child.waitFor(/^heard .*one handler\."\]$/m);
          const heard = /^heard (\[.*one handler\."\])$/m.exec(phantom.child.output)?.[1] ?? "[]";
          assertEquals(JSON.parse(heard), said);
          // A newcomer with the same name gets another name, and sees the earlier lines.
          const second = await openRoom(browser, room.href, "Ada");
          assertEquals(await second.locator("#list .text").allTextContents(), said);
          assertEquals(await second.locator("#people .me").textContent(), "AAda 2 (you)");
          assertMatch(await ada.locator("#state").textContent() ?? "", /^3 people are here$/);
          await takePicture(ada, "chat");
          await phantom.stop();
          await ada.locator("#state", { hasText: "2 people" }).waitFor();
        } finally {
          await phantom.stop();
          for (const context of browser.contexts()) await context.close();
        }
      });

      test("keeps rooms apart, and the last 50 messages of each", async () => {
        const connect = (path: string) =>
          Draft76Client.connect({ port: Number(url.port), url: `ws://${url.host}${path}` });
        const receive = async (client: Draft76Client, type: string) => {
          for (;;) {
            const message = JSON.parse(await client.receiveText());
            if (message.type === type) return message;
          }
        };
        const one = await connect("/chat/one?name=One");
        const other = await connect("/chat/other?name=Other");
        assertEquals((await receive(one, "welcome")).messages, []);
        for (let i = 0; i < 60; i++) one.send(`${i}`);
        other.send("  ");
        other.send("x".repeat(1001));
        other.send("elsewhere");
        assertEquals((await receive(other, "said")).text, "elsewhere");
        for (let i = 0; i < 60; i++) assertEquals((await receive(one, "said")).text, `${i}`);
        const late = await connect("/chat/one?name=Late");
        const { messages } = await receive(late, "welcome");
        assertEquals(messages.map(({ text }: { text: string }) => Number(text)), [
          ...Array.from({ length: 50 }, (_, index) => index + 10),
        ]);
        assertEquals((await receive(one, "here")).names, ["One", "Late"]);
        for (const client of [one, other, late]) await client.destroy();
      });

      test("lets nobody in without a name, or into a room without one", async () => {
        const get = (path: string) => fetch(new URL(path, url), { redirect: "manual" });
        for (const path of ["/chat/", "/chat/a/b", `/chat/${"x".repeat(65)}`, "/other"]) {
          const response = await get(path);
          await response.text();
          assertEquals(response.status, 404, path);
        }
        const home = await get("/");
        assertEquals([home.status, home.headers.get("location")], [302, "/chat/lobby"]);
        await home.body?.cancel();
        for (const query of ["", "?name=", "?name=%20", `?name=${"x".repeat(25)}`]) {
          const socket = new WebSocket(`ws://${url.host}/chat/lobby${query}`);
          const opened = await new Promise((resolve) => {
            socket.onopen = () => resolve(true);
            socket.onerror = () => resolve(false);
            socket.onclose = () => resolve(false);
          });
          assert(!opened, query);
        }
      });

      test("ends with Ctrl-C", async () => {
        assertEquals(await example.child.stop("SIGINT"), 0, example.child.output);
      });
    });
  }
});
