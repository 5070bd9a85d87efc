import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { HandshakeError, websocketConnect } from "../../src/client/mod.ts";
import { Draft76Client } from "../support/draft76_client.ts";
import { withExample } from "./launch.ts";

/** Sends a text and resolves to the answer. */
async function ask(url: string, text: string, options = {}): Promise<unknown> {
  const connection = await websocketConnect(url, options);
  try {
    await connection.writeMessage(text);
    return await connection.readMessage();
  } finally {
    connection.close(1000);
    await connection.closed;
  }
}

/** The response to a refused handshake. */
async function refusal(url: string, options = {}): Promise<HandshakeError> {
  return await assertRejects(() => websocketConnect(url, options), HandshakeError);
}

describe("the example auth", () => {
  test("lets in who has a cookie or a token, and answers 401 to others", () =>
    withExample("auth", ["0"], async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/private`;
      const { status, body, headers } = await refusal(url);
      assertEquals(status, 401);
      assertMatch(body, /Log in first/);
      assertMatch(headers.get("www-authenticate") ?? "", /^Bearer /);
      assertEquals((await refusal(url, { headers: { cookie: "session=guessed" } })).status, 401);

      const robot = await websocketConnect(url, {
        headers: { authorization: "Bearer secret-of-the-robot" },
      });
      assertEquals(await robot.readMessage(), "Hello, robot!");
      robot.close(1000);
      await robot.closed;

      const login = (password: string) =>
        fetch(`http://127.0.0.1:${port}/login`, {
          method: "POST",
          redirect: "manual",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: `user=Ada&password=${password}`,
        });
      const wrong = await login("django");
      await wrong.text();
      assertEquals(wrong.status, 403);
      const right = await login("tornado");
      await right.text();
      const [cookie = ""] = (right.headers.get("set-cookie") ?? "").split(";");
      assertEquals(await ask(url, "x", { headers: { cookie } }), "Hello, Ada!");
      const foreign = { headers: { cookie }, origin: "http://evil.example" };
      assertEquals((await refusal(url, foreign)).status, 403);
    }));
});

describe("the example subprotocol", () => {
  test("speaks the best that the client knows", () =>
    withExample("subprotocol", ["0"], async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/sum`;
      const both = ["sum.v1", "sum.v2"];
      assertEquals(await ask(url, '{"numbers":[1,2]}', { subprotocols: both }), '{"sum":3}');
      assertEquals(await ask(url, "1 2 3", { subprotocols: ["sum.v1"] }), "6");
      assertEquals(await ask(url, "1 2", { version: "draft76" }), "3");
      assertEquals((await refusal(url, { subprotocols: ["sum.v3"] })).status, 400);
    }));
});

/** The certificate that a TLS server shows, in PEM. */
function certificateOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      const base64 = Buffer.from(socket.getPeerCertificate().raw).toString("base64");
      socket.destroy();
      resolve(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`);
    });
    socket.once("error", reject);
  });
}

describe("the example tls", () => {
  test("makes a certificate that a client can check, and is secure", () =>
    withExample("tls", ["0"], async ({ port }) => {
      const ca = await certificateOf(port);
      const url = `wss://localhost:${port}/websocket`;
      const tls = { ca, serverName: "localhost" };
      assertEquals(await ask(url, "x", { tls }), "This connection is encrypted");
      assertEquals(
        await ask(url, "x", { tls, version: "draft76" }),
        "This connection is encrypted",
      );
      await refusal(url);
      await refusal(url, { tls: { ca, serverName: "elsewhere.example" } });
    }));
});

describe("the example backpressure", () => {
  /** More than fits into the buffers of the system. */
  const size = 24 * 1024 * 1024;
  let folder = "", file = "", digest = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "waterspout-file-"));
    file = join(folder, "large");
    const block = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 2654435761) >>> 13);
    const bytes = Buffer.alloc(size, block);
    writeFileSync(file, bytes);
    digest = createHash("sha256").update(bytes).digest("hex");
  });
  after(() => rmSync(folder, { recursive: true }));

  test("sends a large file to a slow reader, and keeps little of it", () =>
    withExample("backpressure", ["0", file], async ({ child, port }) => {
      const connection = await websocketConnect(`ws://127.0.0.1:${port}/file`);
      const hash = createHash("sha256");
      let messages = 0;
      for await (const message of connection) {
        hash.update(message);
        // The reader pauses now and then.
        if (++messages % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assertEquals(hash.digest("hex"), digest);
      assertEquals([connection.closeCode, connection.closeReason], [1000, "that was all"]);
      const [, sent, most] = await child.waitFor(/sent (\d+) bytes, of which (\d+) waited/);
      assertEquals(Number(sent), size);
      assertLess(Number(most), 1024 * 1024);
    }));

  test("stops when the reader leaves", () =>
    withExample("backpressure", ["0", file], async ({ child, port }) => {
      const connection = await websocketConnect(`ws://127.0.0.1:${port}/file`);
      await connection.readMessage();
      connection.abort();
      const [, sent] = await child.waitFor(/sent (\d+) bytes/);
      assertLess(Number(sent), size);
      assertEquals(/Uncaught/.test(child.output), false, child.output);
    }));
});

describe("the example shutdown", () => {
  test("finishes what is under way, and says where to go", () =>
    withExample("shutdown", ["0"], async ({ child, port }) => {
      assertEquals((await fetch(`http://127.0.0.1:${port}/`)).status, 204);
      const url = `ws://127.0.0.1:${port}/websocket`;
      const connection = await websocketConnect(url);
      await connection.writeMessage("the work");
      await child.waitFor(/working/);
      const ended = child.stop("SIGTERM");
      assertEquals(await connection.readMessage(), "Done: the work");
      assertEquals(await connection.readMessage(), undefined);
      assertEquals([connection.closeCode, connection.closeReason], [1012, "a new version"]);
      assertEquals(await ended, 0);
      assertMatch(child.output, /closed with 1012\nstopped\n/);
    }));
});

/** Asks for `/` on a unix socket. */
function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/", headers: { host: "localhost" } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => text += part)
        .once("end", () => resolve(text));
    }).once("error", reject).end();
  });
}

describe("the example unix_socket", () => {
  test("serves a path, also one that was left behind, and removes it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waterspout-unix-"));
    const path = join(folder, "echo.sock");
    try {
      writeFileSync(path, "left behind");
      await withExample("unix_socket", [path], async ({ child, place }) => {
        assertEquals(place, `unix:${path}`);
        assertEquals(await get(path), "Hello\n");
        const headers = { "x-forwarded-for": "192.0.2.7" };
        assertEquals(await ask("ws://localhost/websocket", "Hi", { path, headers }), "Hi");
        await child.waitFor(/open: from 192\.0\.2\.7\n/);
      });
      assertEquals(existsSync(path), false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the example legacy_only", () => {
  test("speaks draft76, and refuses the others", () =>
    withExample("legacy_only", ["0"], async ({ child, port }) => {
      const url = `ws://127.0.0.1:${port}/websocket`;
      const client = await Draft76Client.connect({ port, url });
      try {
        client.send("Hello from 2010");
        assertEquals(await client.receiveText(), "Hello from 2010");
        await client.close();
      } finally {
        await client.destroy();
      }
      await child.waitFor(/open: draft76 from http/);
      for (const version of ["rfc6455", "hybi-08", "hybi-07"]) {
        assertEquals((await refusal(url, { version })).status, 426, version);
      }
    }));
});

describe("the example mount", () => {
  test("has pages of Hono and a socket on one port", () =>
    withExample("mount", ["0"], async ({ port }) => {
      const url = `http://127.0.0.1:${port}`;
      assertMatch(await (await fetch(url)).text(), /^POST \/news/);
      const nowhere = await fetch(`${url}/nowhere`);
      assertEquals([nowhere.status, await nowhere.text()], [404, "404 Not Found"]);
      const reader = await websocketConnect(`ws://127.0.0.1:${port}/websocket`);
      const response = await fetch(`${url}/news`, { method: "POST", body: "It rains" });
      assertEquals(await response.json(), { sent: 1 });
      assertEquals(await reader.readMessage(), "It rains");
      reader.close(1000);
      await reader.closed;
    }));
});

/** A span in the output of the tracing example. */
interface TracedSpan {
  readonly name: string;
  readonly trace: string;
  readonly id: string;
  readonly parent?: string;
  readonly links: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
}

describe("the example tracing", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const sender = "b7ad6b7169203331";

  test("traces a message from its page to a subscriber of the topic", () =>
    withExample("tracing", ["0"], async ({ port }) => {
      const url = `ws://127.0.0.1:${port}/room`;
      const subscriber = await websocketConnect(url);
      // The API of a browser.
      const page = new WebSocket(url);
      await once(page, "open");
      page.send(JSON.stringify({ traceparent: `00-${traceId}-${sender}-01`, text: "Hello" }));
      const { traceparent, text } = JSON.parse(String(await subscriber.readMessage()));
      page.send("not JSON");
      await once(page, "close");
      subscriber.close(1000);
      await subscriber.closed;

      const spans = await spansOf(port, 4);
      const named = (name: string) => spans.filter((span) => span.name === name);
      const [message, publish] = [named("message")[0], named("publish")[0]];
      const [first, second] = named("connection");
      assertEquals([message?.trace, message?.parent], [traceId, sender]);
      assertEquals([publish?.trace, publish?.parent], [traceId, message?.id]);
      assertEquals(publish?.attributes, { subscribers: 1 });
      assertEquals([text, traceparent], ["Hello", `00-${traceId}-${publish?.id}-01`]);
      // The span of the connection is active in the hooks.
      assertEquals(message?.links, [first?.id ?? "none"]);
      assertEquals(first?.attributes, {
        "websocket.closed_by": "server",
        "websocket.close_code": 1011,
      });
      assertMatch(first?.events[0] ?? "", /JSON/);
      assertEquals(second?.attributes, {
        "websocket.closed_by": "peer",
        "websocket.close_code": 1000,
      });
    }));
});

/** Waits for an event. */
function once(target: EventTarget, name: string): Promise<unknown> {
  return new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
}

/** Resolves to the ended spans when there are `count` of them. */
async function spansOf(port: number, count: number): Promise<TracedSpan[]> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/spans`);
    const spans: TracedSpan[] = await response.json();
    if (spans.length >= count) return spans;
  }
}
