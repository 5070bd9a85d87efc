import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type ConnectOptions,
  HandshakeError,
  type WebSocketClientConnection,
  websocketConnect,
} from "../../src/client/mod.ts";
import { withExample } from "../examples/launch.ts";
import { Draft76Client } from "../support/draft76_client.ts";

/** What one of the newest and one of the oldest clients do. */
const CLIENTS: readonly ConnectOptions[] = [
  { version: "rfc6455", compression: { threshold: 0 } },
  { version: "draft76" },
];

/** Fetches a page, and closes its connection. */
async function get(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, {
    redirect: "manual",
    ...init,
    headers: { connection: "close", ...init.headers },
  });
  return new Response(await response.text(), response);
}

async function close(connection: WebSocketClientConnection): Promise<void> {
  connection.close();
  await connection.closed;
}

describe("beside Express", () => {
  test("prepare() reads the session", () =>
    withExample("express", ["0"], async ({ port }) => {
      const site = `http://127.0.0.1:${port}`;
      const chat = `ws://127.0.0.1:${port}/chat`;
      assertMatch(await (await get(`${site}/`)).text(), /<form method="post"/);
      for (const client of CLIENTS) {
        const refused = await assertRejects(() => websocketConnect(chat, client), HandshakeError);
        assertEquals(refused.status, 401);
        const user = `Ada ${client.version}`;
        const login = await get(`${site}/login`, {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ user }).toString(),
        });
        assertEquals(login.status, 303);
        const [cookie = ""] = (login.headers.get("set-cookie") ?? "").split(";");
        const connection = await websocketConnect(chat, { ...client, headers: { cookie } });
        assertEquals(await connection.readMessage(), `Hello, ${user}!`);
        connection.writeMessage("hi");
        assertEquals(await connection.readMessage(), `${user}: hi`);
        assertEquals((await get(`${site}/`)).status, 200);
        await close(connection);
      }
      assertEquals((await get(`${site}/chat`)).status, 404);
    }));
});

describe("beside Fastify", () => {
  test("requests and WebSockets share topics, and the hook preClose ends the clients that are left", () =>
    withExample("fastify", ["0"], async ({ port, child }) => {
      const site = `http://127.0.0.1:${port}`;
      assertMatch(await (await get(`${site}/`)).text(), /<title>Fastify/);
      const clients = await Promise.all(
        CLIENTS.map((client) => websocketConnect(`ws://127.0.0.1:${port}/news`, client)),
      );
      const post = await get(`${site}/news`, { method: "POST", body: "breaking" });
      assertEquals((await post.json()).sent, 2);
      for (const client of clients) assertEquals(await client.readMessage(), "breaking");
      clients[0]?.writeMessage("from a client");
      assertEquals(await clients[1]?.readMessage(), "from a client");
      for (const client of clients) await close(client);
      assertEquals((await get(`${site}/other`)).status, 404);

      const left = await websocketConnect(`ws://127.0.0.1:${port}/news`);
      const stopped = child.stop("SIGINT");
      assertEquals(await left.readMessage(), undefined);
      assertEquals([left.closeCode, await stopped], [1001, 0]);
    }));
});

describe("beside Hono on @hono/node-server", () => {
  test("a page counts the members of a room", () =>
    withExample("hono", ["0"], async ({ port }) => {
      const room = `127.0.0.1:${port}/rooms/lobby`;
      const members = async () => (await (await get(`http://${room}`)).json()).members;
      assertEquals(await members(), 0);
      const clients = await Promise.all(
        CLIENTS.map((client) => websocketConnect(`ws://${room}`, client)),
      );
      assertEquals(await members(), 2);
      for (const sender of clients) {
        sender.writeMessage("Hello");
        for (const client of clients) assertEquals(await client.readMessage(), "Hello");
      }
      for (const client of clients) await close(client);
    }));
});

describe("beside Vite", () => {
  test("its hot module replacement lives on", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-vite-"));
    const page = (text: string) =>
      writeFileSync(
        join(folder, "index.html"),
        `<!DOCTYPE html><title>${text}</title><script type="module" src="/main.js"></script>`,
      );
    writeFileSync(join(folder, "main.js"), "document.title += '!';\n");
    page("before");
    try {
      await withExample("vite", ["0", folder], async ({ port }) => {
        const site = `http://127.0.0.1:${port}`;
        assertMatch(await (await get(`${site}/`)).text(), /src="\/@vite\/client"/);
        const client = await (await get(`${site}/@vite/client`)).text();
        const [, token = ""] = /wsToken = "([^"]+)"/.exec(client) ?? [];
        const hot = await websocketConnect(`ws://127.0.0.1:${port}/?token=${token}`, {
          subprotocols: ["vite-hmr"],
        });
        assertEquals(JSON.parse(String(await hot.readMessage())), { type: "connected" });
        for (const options of CLIENTS) {
          const connection = await websocketConnect(`ws://127.0.0.1:${port}/time`, options);
          connection.writeMessage("now");
          assertMatch(String(await connection.readMessage()), /^\d{4}-\d\d-\d\dT/);
          await close(connection);
        }
        assertMatch(await (await get(`${site}/main.js`)).text(), /document\.title/);
        // Vite does not tell when it watches the files, so the page changes until it notices.
        const noticed = hot.readMessage();
        let changes = 0;
        const changing = setInterval(() => page(`after ${++changes}`), 200);
        const update = JSON.parse(String(await noticed.finally(() => clearInterval(changing))));
        assertEquals(update.type, "full-reload");
        await close(hot);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("beside ws and Socket.IO", () => {
  test("each has its path", () =>
    withExample("beside", ["0"], async ({ port }) => {
      const host = `127.0.0.1:${port}`;
      const ours: WebSocketClientConnection[] = [];
      for (const options of CLIENTS) {
        const connection = await websocketConnect(`ws://${host}/echo`, options);
        connection.writeMessage("Hello");
        assertEquals(await connection.readMessage(), "Hello");
        ours.push(connection);
      }
      const strict = await Draft76Client.connect({ port, url: `ws://${host}/echo` });
      strict.send("draft");
      assertEquals(await strict.receiveText(), "draft");

      const theirs = await websocketConnect(`ws://${host}/ws`);
      assertEquals(await theirs.readMessage(), "Hello from ws");

      const io = await websocketConnect(`ws://${host}/socket.io/?EIO=4&transport=websocket`);
      assert(String(await io.readMessage()).startsWith("0{"));
      io.writeMessage("40");
      assert(String(await io.readMessage()).startsWith("40{"));
      assertEquals(await io.readMessage(), '42["hello","from Socket.IO"]');
      const polling = await get(`http://${host}/socket.io/?EIO=4&transport=polling`);
      assert((await polling.text()).startsWith("0{"));
      assertEquals(await (await get(`http://${host}/`)).text(), "Hello over HTTP\n");

      for (const connection of ours) {
        connection.writeMessage("still here");
        assertEquals(await connection.readMessage(), "still here");
        await close(connection);
      }
      await strict.close();
      await strict.destroy();
      await close(theirs);
      await close(io);
    }));
});
