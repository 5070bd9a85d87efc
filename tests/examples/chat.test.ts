import { assert, assertEquals } from "@std/assert";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { BrokerServer } from "../brokers/servers.ts";
import { launchChromium } from "../browser/chromium.ts";
import { runPhantom } from "../browser/phantomjs.ts";
import { Draft76Client } from "../support/draft76_client.ts";
import { type Example, startExample } from "../support/example.ts";
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import { runtimes } from "../support/runtime.ts";
import { TcpSwitch } from "../support/tcp_switch.ts";
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

/**
 * The dialogue. Each person speaks after the line before has arrived. Before Eve speaks, the process that
 * serves the others is killed. After that, another one serves them.
 */
const dialogue: readonly (readonly [who: "Ada" | "Vera" | "Eve", text: string])[] = [
  ["Ada", "日本語 \u{1f44b} \u{10fffd}"],
  ["Ada", "Hello! Is anybody here?"],
  [
    "Vera",
    "Yes. I am watching from the television in the kitchen \u2013 PhantomJS 1.9.8, draft76.",
  ],
  ["Ada", "And I from a browser of this year. We should not be able to talk at all."],
  ["Eve", "Your process has died."],
  ["Eve", "You cannot hear me."],
  ["Eve", "But you will, each line once."],
  ["Vera", "Žluťoučký kůň, κόσμε, мир: with <b>all my \u2665</b>."],
  ["Ada", "All of it has arrived, unbroken and unbold."],
  ["Eve", "And another one has died."],
  ["Eve", "Now all of us are served by the third."],
  ["Vera", "I have not even noticed."],
  ["Ada", "Greetings to whoever comes next!"],
  ["Vera", "Fifteen years between us, and one handler."],
];

type Message = Readonly<Record<string, unknown>>;

/** A member who speaks draft76. */
class Guest {
  readonly #client: Draft76Client;

  private constructor(client: Draft76Client) {
    this.#client = client;
  }

  static async enter(url: URL, path: string): Promise<Guest> {
    const address = { port: Number(url.port), url: `ws://${url.host}${path}` };
    return new Guest(await Draft76Client.connect(address));
  }

  /** Skips messages of other types. */
  async receive(type: string): Promise<Message> {
    for (;;) {
      const message = JSON.parse(await this.#client.receiveText()) as Message;
      if (message["type"] === type) return message;
    }
  }

  /** The texts of the next messages. */
  async hear(count: number): Promise<unknown[]> {
    const heard: unknown[] = [];
    while (heard.length < count) heard.push((await this.receive("said"))["text"]);
    return heard;
  }

  /** Skips messages up to one with a text. */
  async hearUntil(text: string): Promise<void> {
    while ((await this.receive("said"))["text"] !== text);
  }

  say(...texts: readonly string[]): void {
    for (const text of texts) this.#client.send(text);
  }

  leave(): Promise<void> {
    return this.#client.destroy();
  }
}

function textsOf(welcome: Message): string[] {
  return (welcome["messages"] as { readonly text: string }[]).map(({ text }) => text);
}

/** Runs `body` with a process of each runtime. They share a Redis. */
async function withProcesses(
  body: (processes: readonly Example[], redis: BrokerServer) => Promise<void>,
): Promise<void> {
  const redis = await BrokerServer.redis();
  const url = `redis://127.0.0.1:${redis.port}`;
  const permission = "--allow-all";
  const started = await Promise.allSettled(
    runtimes.map((each) => startExample(each, "examples/chat.ts", { permission }, "0", url)),
  );
  const processes = started.flatMap((each) => each.status === "fulfilled" ? each.value : []);
  try {
    assertEquals(started.map(({ status }) => status), runtimes.map(() => "fulfilled"));
    await body(processes, redis);
  } finally {
    for (const { child } of processes) await child.stop("SIGKILL");
    await redis.stop();
  }
}

describe("the chat example", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  test("joins PhantomJS 1.9.8 and Chromium in one room, though processes are killed", () =>
    withProcesses(async (processes, redis) => {
      const veras = dialogue.flatMap(([who, text], index) =>
        who === "Vera" ? [[dialogue[index - 1]?.[1] ?? "", text]] : []
      );
      const said = dialogue.map(([, text]) => text);
      const [serving, ...others] = processes.map(({ url }) => Number(url.port));
      const front = await TcpSwitch.open(serving ?? 0);
      const path = "/chat/kitchen";
      const room = `http://127.0.0.1:${front.port}${path}`;
      const script = "tests/browser/chat_page.phantom.js";
      const phantom = runPhantom(1, script, [room, "Vera", JSON.stringify(veras)]);
      const survivor = processes.at(-1)!;
      const eve = await Guest.enter(survivor.url, `${path}?name=Eve`);
      try {
        await phantom.child.waitFor(/^entered$/m);
        const ada = await openRoom(browser, room, "Ada");
        await ada.locator("#state", { hasText: "3 people" }).waitFor();
        const people = ada.locator("#people li");
        assertEquals(await people.allTextContents(), ["AAda (you)", "EEve", "VVera"]);
        for (const [index, [who, text]] of dialogue.entries()) {
          if (who === "Eve" && dialogue[index - 1]?.[0] !== "Eve") {
            front.turn(null);
            await processes[processes.length - 1 - others.length]?.child.stop("SIGKILL");
          }
          if (who === "Ada") await say(ada, text);
          if (who === "Eve") eve.say(text);
          if (who === "Eve") await eve.hearUntil(text);
          else await texts(ada, text);
          if (who === "Eve" && dialogue[index + 1]?.[0] !== "Eve") front.turn(others.shift() ?? 0);
        }
        assertEquals(await ada.locator("#list .text").allTextContents(), said);
        assertEquals(await ada.locator("#list .notice").count(), 0);
        await phantom.child.waitFor(/^heard .*one handler\."\]$/m);
        const heard = /^heard (\[.*one handler\."\])$/m.exec(phantom.child.output)?.[1] ?? "[]";
        assertEquals(JSON.parse(heard), said);
        // A newcomer with the same name gets another name, and sees the earlier lines.
        const second = await openRoom(browser, room, "Ada");
        assertEquals(await second.locator("#list .text").allTextContents(), said);
        assertEquals(await second.locator("#people .me").textContent(), "AAda 2 (you)");
        await ada.locator("#state", { hasText: /^4 people are here$/ }).waitFor();
        await eve.leave();
        await ada.locator("#state", { hasText: /^3 people are here$/ }).waitFor();
        await takePicture(ada, "chat");
        await phantom.stop();
        // The processes that were killed have left her there: for `presenceTtl`, which is 30 s.
        await ada.locator("#state", { hasText: "2 people" }).waitFor();
        assertEquals(await people.allTextContents(), ["AAda (you)", "AAda 2"]);
        await redis.kill();
        await survivor.child.waitFor(/Redis at .* is down/);
        await say(ada, "Is anybody listening?");
        const notice = ada.locator("#list .notice", { hasText: "This was not sent: Is anybody" });
        await notice.waitFor();
        assertEquals(await survivor.child.stop("SIGINT"), 0, survivor.child.output);
      } finally {
        await Promise.all([phantom.stop(), eve.leave(), front.close()]);
        for (const context of browser.contexts()) await context.close();
      }
    }));

  for (const runtime of runtimes) {
    describe(`on ${runtime}, one process`, () => {
      let url: URL;
      let example: Example;
      before(async () => {
        example = await startExample(runtime, "examples/chat.ts", {}, "0");
        url = example.url;
      });
      after(() => example.child.stop("SIGKILL"));

      test("keeps rooms apart, and the last 50 messages of each", async () => {
        const one = await Guest.enter(url, "/chat/one?name=One");
        const other = await Guest.enter(url, "/chat/other?name=Other");
        assertEquals((await one.receive("welcome"))["messages"], []);
        const numbers = Array.from({ length: 60 }, (_, index) => `${index}`);
        one.say(...numbers);
        other.say("  ", "x".repeat(1001), "elsewhere");
        assertEquals(await other.hear(1), ["elsewhere"]);
        assertEquals(await one.hear(60), numbers);
        const late = await Guest.enter(url, "/chat/one?name=Late");
        assertEquals(textsOf(await late.receive("welcome")), numbers.slice(10));
        assertEquals((await one.receive("here"))["names"], ["Late", "One"]);
        for (const guest of [one, other, late]) await guest.leave();
      });

      test("recovers what was missed, or says that it cannot", async () => {
        const one = await Guest.enter(url, "/chat/lost?name=One");
        const numbers = Array.from({ length: 60 }, (_, index) => `${index}`);
        one.say(...numbers.slice(0, 20));
        await one.hear(19);
        const { epoch, offset } = (await one.receive("said"))["position"] as Position;
        assertEquals(offset, 20);
        one.say(...numbers.slice(20));
        await one.hear(40);
        // The last 50 of 60 are kept, so those after the 10th.
        for (const [at, isLost] of [[60, false], [55, false], [10, false], [9, true], [61, true]]) {
          const back = await Guest.enter(url, `/chat/lost?name=Two&epoch=${epoch}&offset=${at}`);
          const missed = isLost ? [] : await back.hear(60 - Number(at));
          const welcome = await back.receive("welcome");
          assertEquals(missed, isLost ? [] : numbers.slice(Number(at)), `${at}`);
          assertEquals([welcome["recovered"], welcome["lost"]], [!isLost, isLost], `${at}`);
          assertEquals(textsOf(welcome), isLost ? numbers.slice(10) : [], `${at}`);
          await back.leave();
        }
        await one.leave();
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
        const wrong = [
          "",
          "?name=",
          "?name=%20",
          `?name=${"x".repeat(25)}`,
          `?name=a&key=${"x".repeat(65)}`,
          `?name=a&epoch=${"x".repeat(65)}`,
          "?name=a&epoch=x&offset=-1",
          "?name=a&epoch=x&offset=one",
        ];
        for (const query of wrong) {
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

  test("says to a page what was lost with the only process", async () => {
    const runtime = runtimes[0] ?? "node";
    let example = await startExample(runtime, "examples/chat.ts", {}, "0");
    const front = await TcpSwitch.open(Number(example.url.port));
    try {
      const page = await openRoom(browser, `http://127.0.0.1:${front.port}/chat/page`, "Ada");
      await say(page, "before");
      await texts(page, "before");
      front.turn(null);
      await example.child.stop("SIGKILL");
      example = await startExample(runtime, "examples/chat.ts", {}, "0");
      const eve = await Guest.enter(example.url, "/chat/page?name=Eve");
      eve.say("meanwhile");
      front.turn(Number(example.url.port));
      assertEquals(await texts(page, "meanwhile"), ["meanwhile"]);
      assertEquals(await page.locator("#list .notice").allTextContents(), [
        "Earlier messages could not be recovered",
      ]);
      await eve.leave();
      await page.context().close();
    } finally {
      await front.close();
      await example.child.stop("SIGKILL");
    }
  });
});
