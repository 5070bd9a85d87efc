import { assertEquals, assertStringIncludes } from "@std/assert";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../browser/chromium.ts";
import { type Example, startExample } from "../support/example.ts";
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import { Draft76Client } from "../support/draft76_client.ts";
import { type Runtime, runtimes } from "../support/runtime.ts";
import { Crowd } from "./crowd.ts";
import { picturePath, takePicture } from "./picture.ts";

/** Runs `body` with the example. The example takes a sample at an interval in milliseconds. */
async function withStatus(
  runtime: Runtime,
  interval: number,
  body: (example: Example, crowd: Crowd) => Promise<void>,
): Promise<void> {
  const example = await startExample(runtime, "examples/status.ts", {}, "0", `${interval}`);
  const crowd = new Crowd(Number(example.url.port), "/websocket");
  try {
    await body(example, crowd);
    crowd.end();
    assertEquals(await example.child.stop("SIGINT"), 0, example.child.output);
  } finally {
    crowd.end();
    await example.child.stop("SIGKILL");
  }
}

const HEAD = "HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Handshakes that are refused, by reason. */
const intrusions: Readonly<Record<string, string>> = {
  path: `GET /nowhere ${HEAD}${KEY}\r\n`,
  origin: `GET /websocket ${HEAD}${KEY}Origin: http://elsewhere.example\r\n\r\n`,
  version: `GET /websocket ${HEAD}Sec-WebSocket-Version: 6\r\n\r\n`,
  handshake: `GET /websocket ${HEAD}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ?\r\n\r\n`,
  request: "GARBAGE\r\n\r\n",
};

/** A page without a browser: what it gets, as the status page does. */
async function watch(
  { url }: Pick<Example, "url">,
  since: string,
  until: (message: WatchMessage) => boolean,
): Promise<WatchMessage[]> {
  const address = `ws://${url.host}/status${since}`;
  const client = await Draft76Client.connect({ port: Number(url.port), url: address });
  const messages: WatchMessage[] = [];
  try {
    do messages.push(JSON.parse(await client.receiveText())); while (!messages.some(until));
  } finally {
    await client.destroy();
  }
  return messages;
}

interface WatchMessage {
  readonly samples?: readonly { readonly time: number }[];
  readonly position?: Position;
  readonly anew?: boolean;
  readonly watching?: readonly unknown[];
}

/** Resolves once a tile of the page shows a value. */
async function shows(page: Page, tile: string, value: string): Promise<void> {
  await page.locator(`#${tile} b`, { hasText: new RegExp(`^${value}$`) }).waitFor();
}

describe("the status example", () => {
  let browser: Browser;
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  for (const runtime of runtimes) {
    test(`on ${runtime} shows who is there, by version, what passes and what was refused`, () =>
      withStatus(runtime, 50, async ({ url }, crowd) => {
        const page = await browser.newPage();
        try {
          const errors: Error[] = [];
          page.on("pageerror", (error: Error) => errors.push(error));
          await page.goto(url.href);
          await shows(page, "open", "1");
          await crowd.become({ "draft76": 3, "hybi-07": 2, "rfc6455": 4 });
          await shows(page, "open", "10");
          await shows(page, "old", "3");
          const legend = (await page.locator("#versions").textContent() ?? "").replace(/\s+/g, " ");
          assertEquals(legend, "RFC 6455 5hybi-08 0hybi-07 2draft76 3draft75 0");
          for (const reason of ["path", "path", "origin"]) await crowd.intrude(intrusions[reason]!);
          await shows(page, "refusals", "3");
          assertEquals(await page.locator("#reasons tr").allTextContents(), ["path2", "origin1"]);
          await crowd.become({ "draft76": 1 });
          await shows(page, "old", "1");
          const codes = await page.locator("#codes tr td:last-child").allTextContents();
          assertEquals(codes.reduce((sum, count) => sum + Number(count), 0), 2);
          await page.waitForFunction(() => {
            const { document } = globalThis as unknown as {
              document: { querySelectorAll(selector: string): { length: number } };
            };
            return document.querySelectorAll("#connections path, #messages path").length === 7;
          });
          const watching = page.locator("#watching");
          assertEquals(await watching.textContent(), "watched by 1 page");
          await watch({ url }, "", ({ watching }) => watching?.length === 2);
          crowd.talk(1);
          await page.locator("#rate small", { hasText: /[1-9]/ }).waitFor();
          assertEquals(errors, []);
        } finally {
          await page.context().close();
        }
      }));

    test(`on ${runtime} gives a page what it has missed, and the same figures to Prometheus`, () =>
      // 120 samples are kept: 18 s.
      withStatus(runtime, 150, async (example, crowd) => {
        const first = await watch(
          example,
          "",
          ({ anew, samples }) => !anew && samples !== undefined,
        );
        const kept = first.find(({ anew }) => anew);
        const [newest] = first.flatMap(({ anew, position }) => anew ? [] : position ?? []);
        assertEquals(kept?.samples?.length, kept?.position?.offset);
        const { epoch, offset } = newest ?? { epoch: "", offset: 0 };
        const later = offset + 5;
        await watch(example, "", ({ position }) => (position?.offset ?? 0) >= later);
        const query = `?epoch=${epoch}&offset=${offset}`;
        const missed = await watch(example, query, ({ position }) => position?.offset === later);
        const offsets = missed.flatMap(({ position }) => position?.offset ?? []);
        assertEquals(offsets, [1, 2, 3, 4, 5].map((number) => offset + number));
        const lost = await watch(example, `?epoch=other&offset=1`, ({ anew }) => anew === true);
        assertEquals(lost.at(-1)?.anew, true);

        await crowd.become({ "draft76": 2, "rfc6455": 1 });
        const response = await fetch(new URL("/metrics", example.url));
        const text = await response.text();
        for (const [version, count] of [["draft76", 2], ["rfc6455", 1]]) {
          assertStringIncludes(
            text,
            `\nwaterspout_connections{route="/websocket",version="${version}"} ${count}\n`,
          );
        }
        assertStringIncludes(text, "\nwaterspout_http_requests_total 1\n");
      }));
  }
});

// Runs two minutes for a good picture, only if a picture is wanted.
if (picturePath("status") !== "") {
  test("a picture of the status example", () =>
    withStatus("node", 1000, async ({ url }, crowd) => {
      const browser = await launchChromium();
      const page = await browser.newPage({ viewport: { width: 1080, height: 760 } });
      await page.goto(url.href);
      for (let step = 0; step < 122; step++) {
        const wave = Math.sin(step / 17) * 12 + Math.sin(step / 5) * 3;
        await crowd.become({
          "rfc6455": Math.round(64 + wave + step / 6),
          "hybi-08": Math.round(9 + wave / 6),
          "hybi-07": 4,
          "draft76": Math.round(38 - step / 7 + Math.sin(step / 9) * 2),
        });
        const talking = setInterval(() => crowd.talk(0.35 + wave / 60), 100);
        for (const [index, request] of Object.values(intrusions).entries()) {
          if (step % (5 + 6 * index) === 3) await crowd.intrude(request);
        }
        await new Promise((resolve) => setTimeout(resolve, 1000));
        clearInterval(talking);
      }
      await takePicture(page, "status");
      await browser.close();
    }));
}
