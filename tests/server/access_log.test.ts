import { assertEquals, assertGreater } from "@std/assert";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { HttpError } from "../../src/errors.ts";
import type { AccessEntry } from "../../src/server/access_log.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Settings } from "../../src/server/settings.ts";
import { makeOpening, type MemoryClient } from "../support/memory_client.ts";
import { RawClient } from "../support/raw_client.ts";
import { HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";

/** Obeys or echoes a message. */
class Obedient extends WebSocketHandler {
  override prepare(): void | Promise<void> {
    if (this.getArgument("how", "") === "refuse") throw new HttpError(401, "log in first");
    if (this.getArgument("how", "") === "throw") throw new Error("on purpose");
    if (this.getArgument("how", "") === "wait") return new Promise(() => {});
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered[0];
  }
  onMessage(message: string | Uint8Array): void {
    if (message === "close") this.close(4000, "asked");
    else if (message === "abort") this.abort();
    else if (message === "throw") throw new Error("on purpose");
    else this.writeMessage(message);
  }
}

/** An application that records its entries. */
function setUp(settings: Partial<Settings> = {}): { rig: Rig; entries: AccessEntry[] } {
  const entries: AccessEntry[] = [];
  const rig = new Rig([["/ws", Obedient]], {
    pingInterval: 0,
    accessLog: (entry) => void entries.push(entry),
    ...settings,
  });
  return { rig, entries };
}

/** An entry as one line. */
function line(entry: AccessEntry): string {
  const { kind, method = "-", path = "-" } = entry;
  if (kind === "close") return `${kind} ${entry.by} ${entry.code} ${entry.reason}`.trim();
  const status = entry.status ?? "silent";
  const what = kind === "refusal" ? ` ${entry.reason}` : "";
  const cut = kind === "request" && !entry.complete ? " cut off" : "";
  return `${kind} ${method} ${path} ${status}${what}${cut}`;
}

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1" };

/** A request with these lines. */
function head(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

const UPGRADE = [
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
];
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

describe("the access log of a connection", () => {
  for (const version of VERSIONS) {
    test(`of ${version} has its handshake and its close, with times and bytes`, async () => {
      const { rig, entries } = setUp();
      const { client } = rig.join();
      const { head, key3, proof } = makeOpening(version, {
        path: "/ws?token=secret",
        subprotocols: ["chat"],
      });
      await rig.clock.advance(250);
      const start = rig.clock.now();
      client.write(head);
      client.write(key3);
      await settle();
      client.begin(version, proof);
      await rig.clock.advance(1000);
      const text = "twelve bytes";
      client.send(text);
      await rig.clock.advance(500);
      client.end();
      await settle();
      const [handshake, close] = entries;
      if (handshake?.kind !== "handshake" || close?.kind !== "close") throw new Error("Wrong kind");
      const request = { method: "GET", path: "/ws", version };
      const { remoteAddress, ...opened } = handshake;
      assertEquals({ ...ADDRESS, port: remoteAddress.port }, remoteAddress);
      assertEquals<unknown>(opened, {
        kind: "handshake",
        ...request,
        status: 101,
        subprotocol: "chat",
        time: start,
        duration: 250,
      });
      assertEquals(close, {
        kind: "close",
        ...request,
        remoteAddress,
        time: start + 1500,
        duration: 1500,
        by: version === "draft75" ? "peer" : "network",
        code: 1006,
        reason: "",
        messagesIn: 1,
        messagesOut: 1,
        bytesIn: close.bytesIn,
        bytesOut: close.bytesOut,
      });
      const { traffic } = rig.app.stats();
      assertEquals([close.bytesIn, close.bytesOut], [traffic.bytesIn, traffic.bytesOut]);
      assertGreater(close.bytesIn, head.length + key3.length + text.length);
      assertEquals(entries.length, 2);
    });
  }

  test("has the traffic of each connection, and the application has the sum", async () => {
    const { rig, entries } = setUp();
    const clients: MemoryClient[] = [];
    for (let index = 0; index < 3; index++) {
      clients.push(await rig.open("rfc6455", { path: "/ws" }));
    }
    for (const [index, client] of clients.entries()) {
      for (let sent = 0; sent <= index; sent++) client.send("x".repeat(100 * index));
    }
    await settle();
    for (const client of clients) {
      client.close(1000);
      await settle();
    }
    const closes = entries.filter((entry) => entry.kind === "close");
    assertEquals(closes.map(({ messagesIn }) => messagesIn), [1, 2, 3]);
    const sum = (key: "messagesIn" | "messagesOut" | "bytesIn" | "bytesOut") =>
      closes.reduce((total, entry) => total + entry[key], 0);
    const { messagesIn, messagesOut, bytesIn, bytesOut } = rig.app.stats().traffic;
    assertEquals(
      [sum("messagesIn"), sum("messagesOut"), sum("bytesIn"), sum("bytesOut")],
      [messagesIn, messagesOut, bytesIn, bytesOut],
    );
  });

  const ends: readonly [name: string, end: (client: MemoryClient) => void, line: string][] = [
    ["the client closes", (client) => client.close(1000, "bye"), "close peer 1000 bye"],
    ["the client resets", (client) => client.reset(), "close network 1006"],
    ["the handler closes", (client) => {
      client.send("close");
      client.close(4000);
    }, "close server 4000 asked"],
    ["the handler aborts", (client) => client.send("abort"), "close server 1006"],
    ["the handler throws", (client) => client.send("throw"), "close server 1011 internal error"],
  ];
  for (const version of HYBI) {
    for (const [name, end, expected] of ends) {
      test(`of ${version} says how it ended: ${name}`, async () => {
        const { rig, entries } = setUp();
        const client = await rig.open(version, { path: "/ws" });
        end(client);
        await settle();
        assertEquals(entries.slice(1).map(line), [expected]);
      });
    }
  }
});

interface Row {
  readonly name: string;
  readonly request: string;
  readonly lines: readonly string[];
  readonly settings?: Partial<Settings>;
}

const rows: readonly Row[] = [
  {
    name: "what is no request",
    request: "\x16\x03\x01\x02\r\n\r\n",
    lines: ["refusal - - 400 request"],
  },
  {
    name: "a path without a route",
    request: head("GET /none?token=secret HTTP/1.1", ...UPGRADE, KEY),
    lines: ["refusal GET /none 404 path"],
  },
  {
    name: "a handshake that is no GET",
    request: head("POST /ws HTTP/1.1", ...UPGRADE, KEY),
    lines: ["refusal POST /ws 405 method"],
  },
  {
    name: "a handshake without a key",
    request: head("GET /ws HTTP/1.1", ...UPGRADE),
    lines: ["refusal GET /ws 400 handshake"],
  },
  {
    name: "a draft76 handshake that breaks a rule",
    request: head(
      "GET /ws HTTP/1.1",
      "Host: localhost",
      "Upgrade: WebSocket",
      "Connection: Upgrade",
      "Origin: http://localhost",
      "Sec-WebSocket-Key1: 1",
      "Sec-WebSocket-Key2: 1",
    ),
    lines: ["refusal GET /ws silent handshake"],
  },
  {
    name: "an origin that is not allowed",
    request: head("GET /ws HTTP/1.1", ...UPGRADE, KEY, "Origin: http://localhost:5173"),
    lines: ["refusal GET /ws 403 origin"],
  },
  {
    name: "a handler that refuses",
    request: head("GET /ws?how=refuse HTTP/1.1", ...UPGRADE, KEY),
    lines: ["refusal GET /ws 401 handler"],
  },
  {
    name: "a handler that throws",
    request: head("GET /ws?how=throw HTTP/1.1", ...UPGRADE, KEY),
    lines: ["refusal GET /ws 500 error"],
  },
  {
    name: "a client that leaves while its handshake is prepared",
    request: head("GET /ws?how=wait HTTP/1.1", ...UPGRADE, KEY),
    lines: ["refusal GET /ws silent gone"],
  },
  {
    name: "a client that leaves in the middle of its request",
    request: "GET /ws HTTP/1.1\r\n",
    lines: ["refusal - - silent gone"],
  },
  {
    name: "a request without an upgrade where there is no fetch",
    request: head("GET /ws HTTP/1.1", "Host: localhost"),
    lines: ["refusal GET /ws 426 version"],
  },
  {
    name: "OPTIONS for the server as a whole",
    request: head("OPTIONS * HTTP/1.1", "Host: localhost"),
    lines: ["request OPTIONS / 204"],
  },
  {
    name: "a plain request",
    request: head("GET /a%20b?c HTTP/1.1", "Host: localhost"),
    settings: { fetch: () => new Response("body", { status: 203 }) },
    lines: ["request GET /a%20b 203"],
  },
  {
    name: "a plain request whose body is too long",
    request: head("POST / HTTP/1.1", "Host: localhost", "Content-Length: 5") + "12345",
    settings: { fetch: () => new Response(""), maxBodySize: 4 },
    lines: ["refusal POST / 413 request"],
  },
  {
    name: "a plain request whose body turns out too long",
    request: head("POST / HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked") + "5\r\n",
    settings: { fetch: () => new Response(""), maxBodySize: 4 },
    lines: ["request POST / 413"],
  },
  {
    name: "a plain request that fails",
    request: head("GET / HTTP/1.1", "Host: localhost"),
    settings: { fetch: () => Promise.reject(new Error("on purpose")) },
    lines: ["request GET / 500"],
  },
  {
    name: "a client that leaves before there is an answer",
    request: head("GET / HTTP/1.1", "Host: localhost"),
    settings: { fetch: () => new Promise(() => {}) },
    lines: ["request GET / silent cut off"],
  },
  {
    name: "a client that leaves in the middle of the answer",
    request: head("GET / HTTP/1.1", "Host: localhost"),
    settings: { fetch: () => new Response(new ReadableStream({})) },
    lines: ["request GET / 200 cut off"],
  },
];

describe("the access log has one entry for", () => {
  for (const { name, request, lines, settings = {} } of rows) {
    test(name, async () => {
      const { rig, entries } = setUp(settings);
      const { client } = rig.join();
      await rig.clock.advance(100);
      client.write(request);
      await untilQuiet();
      client.reset();
      await settle();
      assertEquals(entries.map(line), lines);
      for (const entry of entries) {
        assertEquals([entry.time, "duration" in entry && entry.duration], [1100, 100]);
      }
    });
  }

  test("the bytes of a plain request, including the head", async () => {
    const { rig, entries } = setUp({ fetch: () => new Response("x".repeat(1000)) });
    const request = head("GET / HTTP/1.1", "Host: localhost");
    const client = await rig.send(request);
    await untilQuiet();
    const [entry] = entries;
    if (entry?.kind !== "request") throw new Error("Wrong kind");
    assertEquals([entry.bytesIn, entry.bytesOut], [request.length, client.raw.length]);
  });

  test("a connection above the limit", async () => {
    for (const limit of ["maxConnections", "maxConnectionsPerAddress"]) {
      const { rig, entries } = setUp({ [limit]: 1 });
      rig.join();
      rig.join();
      await settle();
      assertEquals(entries.map(line), ["refusal - - 503 limit"]);
      assertEquals(entries.map((entry) => "duration" in entry && entry.duration), [0]);
    }
  });

  test("a failed TLS handshake", async () => {
    const { rig, entries } = setUp();
    const pem = (name: string) =>
      readFileSync(new URL(`../support/tls/${name}.pem`, import.meta.url), "utf8");
    await using server = rig.app.listen({
      port: 0,
      hostname: "127.0.0.1",
      cert: pem("cert"),
      key: pem("key"),
    });
    await server.listening;
    const client = await RawClient.connect({ port: server.addr.port });
    client.write("This is no TLS, whatever it is.\r\n\r\n");
    await client.readToEnd();
    await client.destroy();
    assertEquals(entries.map(line), ["refusal - - silent tls"]);
    assertEquals(entries[0]?.remoteAddress.hostname, "127.0.0.1");
  });

  test("a handshake that takes too long", async () => {
    const { rig, entries } = setUp();
    const { client } = rig.join();
    client.write("GET /ws");
    await rig.clock.advance(11_000);
    assertEquals(entries.map(line), ["refusal - - 408 timeout"]);
  });

  test("a connection that sends nothing, and only the refusal", async () => {
    const { rig, entries } = setUp();
    rig.join().client.reset();
    await settle();
    assertEquals(entries, []);
  });

  test("a client behind a trusted proxy, with its own address", async () => {
    const { rig, entries } = setUp({ trustProxy: ["127.0.0.1"] });
    await rig.send(head("GET /none HTTP/1.1", ...UPGRADE, KEY, "X-Forwarded-For: 192.0.2.7"));
    assertEquals(entries[0]?.remoteAddress, { transport: "tcp", hostname: "192.0.2.7", port: 0 });
  });
});

describe("an origin that is not allowed", () => {
  const because = 'the origin "http://localhost:5173" may not connect to ws://localhost/ws: ' +
    "list it in the setting allowedOrigins, or allow it in checkOrigin()";

  for (const version of VERSIONS) {
    test(`gets a message with the remedy, and so does the log (${version})`, async () => {
      const { rig } = setUp();
      const { head, key3 } = makeOpening(version, {
        path: "/ws?token=secret",
        origin: "http://localhost:5173",
      });
      const client = await rig.send(head);
      client.write(key3);
      await settle();
      const { status, body } = client.parseAnswer();
      assertEquals([status, body], [403, `${because}\n`]);
      assertEquals(rig.logged, [`Refused a handshake: ${because}`]);
    });
  }

  test("is logged at most once per interval, with the number of suppressed lines", async () => {
    const { rig } = setUp();
    const refuse = () =>
      rig.send(head("GET /ws HTTP/1.1", ...UPGRADE, KEY, "Origin: http://localhost:5173"));
    for (let refused = 0; refused < 50; refused++) await refuse();
    await rig.clock.advance(10_000);
    await refuse();
    assertEquals(rig.logged, [
      `Refused a handshake: ${because}`,
      `Refused a handshake: ${because} (49 similar lines suppressed)`,
    ]);
    assertEquals(rig.app.stats().refused.origin, 51);
  });
});
