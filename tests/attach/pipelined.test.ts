import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import { runtime } from "../support/runtime.ts";
import { HANDSHAKE } from "./support.ts";

class Greeter extends WebSocketHandler {
  override open(): void {
    this.writeMessage("hello");
  }
  onMessage(): void {}
}

const HANDSHAKE_HEAD = ["GET /ws HTTP/1.1", "Host: localhost", ...HANDSHAKE, "", ""].join("\r\n");

function requests(...paths: string[]): string {
  return paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join("");
}

/** Attaches to a server that responds by `answer`, and connects a client. */
async function withClient(
  answer: (response: ServerResponse, path: string) => void,
  body: (client: Socket, app: Application) => Promise<void>,
): Promise<void> {
  const server = createServer((request, response) => answer(response, request.url ?? ""));
  const app = new Application([["/ws", Greeter]]);
  await using _attachment = app.attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  try {
    await once(client, "connect");
    await body(client, app);
  } finally {
    client.destroy();
    server.close();
  }
}

/** Resolves to what a client has received, up to a text. */
async function received(client: Socket, end: string): Promise<string> {
  let text = "";
  client.setEncoding("latin1");
  client.on("data", (chunk) => text += chunk);
  while (!text.includes(end)) await Promise.race([once(client, "data"), once(client, "close")]);
  return text;
}

describe("a handshake behind requests that are not answered yet", () => {
  for (const count of [1, 2, 3]) {
    test(`is answered after them: ${count}`, () =>
      withClient((response, path) => {
        // Later requests are answered sooner.
        const delay = path === "/ws" ? 0 : 30 - 10 * Number(path.slice(1));
        setTimeout(() => response.end(`answer to ${path}`), delay);
      }, async (client) => {
        const paths = Array.from({ length: count }, (_, i) => `/${i}`);
        client.write(requests(...paths) + HANDSHAKE_HEAD);
        // Bun treats the handshake as a plain request.
        const last = runtime === "bun" ? ["200", "answer to /ws"] : ["101", "hello"];
        const text = await received(client, last[1] ?? "");
        const order = [...text.matchAll(/HTTP\/1\.1 (\d+)|answer to \/(?:\d|ws)|hello/g)];
        assertEquals(order.map(([match, status]) => status ?? match), [
          ...paths.flatMap((path) => ["200", `answer to ${path}`]),
          ...last,
        ]);
      }));
  }

  test("leaves nothing open if the client is gone before", async () => {
    const responses: ServerResponse[] = [];
    await withClient((response) => responses.push(response), async (client, app) => {
      client.write(requests("/first") + HANDSHAKE_HEAD);
      while (responses.length === 0) await new Promise((next) => setTimeout(next, 1));
      const [response] = responses;
      assert(response !== undefined);
      const closed = new Promise((resolve) => response.socket?.once("close", resolve));
      client.resetAndDestroy();
      await closed;
      response.end("too late");
      await new Promise((next) => setImmediate(next));
      assertEquals(app.stats().sockets, 0);
    });
  });
});
