import { assert, assertEquals } from "@std/assert";
import { readFileSync } from "node:fs";
import {
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Application, WebSocketHandler } from "../../mod.ts";
import { launchChromium } from "./chromium.ts";

const credentials = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

const PAGE = "<!doctype html><title>Over HTTP/2</title>";

/** A stream that a WebSocket has opened, and its session. A stream forgets it when it is closed. */
interface Opened {
  readonly id: unknown;
  readonly session: unknown;
}

/** Keeps the stream of each connection, and echoes. */
class Echo extends WebSocketHandler<Opened[]> {
  override open(): void {
    const { id, session } = this.rawRequest as ServerHttp2Stream;
    this.options.push({ id, session });
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered[0];
  }
  override getCompressionOptions() {
    return {};
  }
  onMessage(message: string | Uint8Array): Promise<void> | void {
    if (message === "close") this.close(4321, "as you wish");
    else return this.writeMessage(message);
  }
}

let browser: Browser;

/** Opens a page whose certificate the browser does not know. */
async function open(port: number): Promise<Page> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(`https://localhost:${port}/`);
  return page;
}

/** Lets the page echo and close in both ways. */
function use(page: Page): Promise<unknown> {
  return page.evaluate(async () => {
    const begin = (): Promise<WebSocket> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://${location.host}/ws`, ["chat"]);
        socket.onopen = () => resolve(socket);
        socket.onerror = () => reject(new Error("no WebSocket"));
      });
    const echo = (socket: WebSocket, text: string): Promise<boolean> =>
      new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data === text);
        socket.send(text);
      });
    const ended = (socket: WebSocket): Promise<unknown> =>
      new Promise((resolve) => {
        socket.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
      });
    const socket = await begin();
    const echoes: boolean[] = [];
    for (const text of ["", "Hello", "語".repeat(200_000)]) echoes.push(await echo(socket, text));
    const { protocol, extensions } = socket;
    const byPage = ended(socket);
    socket.close(4000, "enough");
    const other = await begin();
    const byServer = ended(other);
    other.send("close");
    return [echoes, protocol, extensions.split(";")[0], await byPage, await byServer];
  });
}

const EXPECTED = [
  [true, true, true],
  "chat",
  "permessage-deflate",
  [4000, "enough", true],
  [4321, "as you wish", true],
];

describe("Chromium, which has loaded a page over HTTP/2", () => {
  before(async () => {
    browser = await launchChromium();
  });
  after(() => browser.close());

  test("opens its WebSockets as streams of the same session, of an attached server", async () => {
    const sessions: ServerHttp2Session[] = [];
    const pages: unknown[] = [];
    const opened: Opened[] = [];
    const server = createSecureServer({ ...credentials, allowHTTP1: true });
    server.on("session", (session) => sessions.push(session));
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (headers[":method"] !== "GET") return;
      if (headers[":path"] === "/") pages.push(stream.session);
      stream.respond({ ":status": 200, "content-type": "text/html" });
      stream.end(PAGE);
    });
    await using _attachment = new Application([["/ws", Echo, opened]]).attach(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const page = await open((server.address() as AddressInfo).port);
    try {
      assertEquals(await use(page), EXPECTED);
      assertEquals([sessions.length, opened.length], [1, 2]);
      assert(opened.every(({ session }) => session !== undefined && session === pages[0]));
    } finally {
      await page.context().close();
      for (const session of sessions) session.destroy();
      server.close();
    }
  });

  test("opens its WebSockets as streams, on a listener of ours", async () => {
    const opened: Opened[] = [];
    const fetch = () => new Response(PAGE, { headers: { "content-type": "text/html" } });
    const app = new Application([["/ws", Echo, opened]], { fetch });
    await using server = app.listen({
      port: 0,
      hostname: "127.0.0.1",
      http2: true,
      // The browser asks a second time, when it was told to ignore the certificate.
      onError: () => {},
      ...credentials,
    });
    await server.listening;
    const page = await open(server.addr.port);
    try {
      assertEquals(await page.title(), "Over HTTP/2");
      assertEquals(await use(page), EXPECTED);
      // Over HTTP/1.1, there would be no streams.
      assertEquals(opened.length, 2);
      assert(opened.every(({ id }) => typeof id === "number"));
      assert(opened[0]?.session === opened[1]?.session);
    } finally {
      await page.context().close();
    }
  });
});
