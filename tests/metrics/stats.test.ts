import { assertEquals, assertGreater } from "@std/assert";
import { describe, test } from "node:test";
import { Application } from "../../src/server/application.ts";
import { HttpError } from "../../src/errors.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Settings } from "../../src/server/settings.ts";
import type { RefusalReason } from "../../src/errors.ts";
import { memoryPair, type MemoryTransport } from "../../src/transport/memory.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { Member, settled, VERSIONS } from "../pubsub/member.ts";

/** Echoes, and obeys `close CODE` and `abort`. */
class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    const [verb, code] = String(message).split(" ");
    if (verb === "close") this.close(code === undefined ? undefined : Number(code));
    else if (verb === "abort") this.abort();
    else if (verb === "throw") throw new Error("asked");
    else this.writeMessage(message);
  }
}

class Room extends Echo {
  override open(room: string): void {
    this.subscribe(room);
    this.subscribe("lobby");
  }
}

/** Refuses in each way that a handler can. */
class Refuser extends Echo {
  override prepare(): void | Promise<void> {
    const how = this.getArgument("how", "");
    const status = this.getArgument("status", undefined);
    if (status !== undefined) throw new HttpError(Number(status), "Log in first");
    if (how === "throw") throw new Error("asked");
    if (how === "wait") return new Promise(() => {});
  }
  override checkOrigin(origin: string): boolean {
    return origin === "http://good";
  }
  override allowDraft76(): boolean {
    return this.getArgument("how", "") !== "modern";
  }
}

function makeApp(settings: Partial<Settings> = {}): Application {
  const routes: ConstructorParameters<typeof Application>[0] = [
    ["/", Echo],
    ["/room/:name", Room],
    [/\/r(\d+)/, Echo],
    ["/refuse", Refuser],
  ];
  return new Application(routes as [], {
    versions: [...VERSIONS],
    pingInterval: 0,
    allowedOrigins: ["http://localhost"],
    log() {},
    ...settings,
  });
}

describe("connections", () => {
  test("are counted by version and route, open ones and all since the start", async () => {
    const app = makeApp();
    const members: Member[] = [];
    for (const version of VERSIONS) members.push(await Member.join(app, "/", version));
    members.push(await Member.join(app, "/room/a", "draft76"));
    members.push(await Member.join(app, "/room/b", "rfc6455"));
    members.push(await Member.join(app, "/r7", "rfc6455"));
    members[0]?.transport.destroy();
    members[7]?.transport.destroy();
    await settled();
    const stats = app.stats();
    assertEquals(stats.sockets, 6);
    assertEquals(stats.connections, { open: 6, total: 8 });
    assertEquals(stats.byVersion, {
      "draft75": { open: 0, total: 1 },
      "draft76": { open: 2, total: 2 },
      "hybi-07": { open: 1, total: 1 },
      "hybi-08": { open: 1, total: 1 },
      "rfc6455": { open: 2, total: 3 },
    });
    assertEquals(stats.byRoute, {
      "/": { open: 4, total: 5 },
      "/room/:name": { open: 2, total: 2 },
      "/\\/r(\\d+)/": { open: 0, total: 1 },
    });
    assertEquals(
      stats.byRouteAndVersion.find(({ route, version }) => route === "/" && version === "draft76"),
      { route: "/", version: "draft76", open: 1, total: 1 },
    );
    assertEquals([stats.topics, stats.subscriptions], [3, 4]);
    for (const member of members) member.transport.destroy();
    await settled();
    const after = app.stats();
    assertEquals(after.connections, { open: 0, total: 8 });
    assertEquals([after.sockets, after.topics, after.subscriptions], [0, 0, 0]);
  });

  test("are counted by close code when they are closed", async () => {
    const app = makeApp();
    const ends: [Parameters<typeof Member.join>[2], (member: Member) => void][] = [
      ["rfc6455", (member) => member.send("close 1000")],
      ["rfc6455", (member) => member.send("close 3000")],
      ["rfc6455", (member) => member.send("close")],
      ["rfc6455", (member) => member.send("abort")],
      ["rfc6455", (member) => member.send("throw")],
      // A close frame with 1001, one without a code, and a reserved opcode.
      [
        "rfc6455",
        ({ transport }) => transport.write(Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 3, 0xe9), true),
      ],
      ["rfc6455", ({ transport }) => transport.write(Uint8Array.of(0x88, 0x80, 0, 0, 0, 0), true)],
      ["rfc6455", ({ transport }) => transport.write(Uint8Array.of(0x83, 0x80, 0, 0, 0, 0), true)],
      ["rfc6455", ({ transport }) => transport.end()],
      ["rfc6455", ({ transport }) => transport.destroy()],
      ["draft76", (member) => member.send("close 1000")],
      ["draft76", ({ transport }) => transport.write(Uint8Array.of(0xff, 0), true)],
      ["draft76", ({ transport }) => transport.end()],
      ["draft75", (member) => member.send("close")],
      ["draft75", ({ transport }) => transport.end()],
    ];
    for (const [version, end] of ends) {
      const member = await Member.join(app, "/", version);
      end(member);
      await settled();
      member.transport.end();
      await settled();
    }
    assertEquals(app.stats().closed, {
      1000: 1,
      1001: 1,
      1002: 1,
      1005: 4,
      1006: 6,
      1011: 1,
      3000: 1,
    });
    assertEquals(app.stats().connections, { open: 0, total: ends.length });
  });
});

describe("messages and bytes", () => {
  test("are counted in both directions, a published message once for each receiver", async () => {
    const app = makeApp();
    const member = await Member.join(app, "/", "rfc6455");
    const handshake = app.stats().traffic;
    assertEquals([handshake.messagesIn, handshake.messagesOut], [0, 0]);
    assertGreater(handshake.bytesIn, 100);
    assertGreater(handshake.bytesOut, 100);
    member.send("hello", "you");
    await settled();
    assertEquals(app.stats().traffic, {
      messagesIn: 2,
      messagesOut: 2,
      // Two headers: of 6 and of 2 bytes.
      bytesIn: handshake.bytesIn + 2 * 6 + 8,
      bytesOut: handshake.bytesOut + 2 * 2 + 8,
    });
    member.transport.destroy();
    const others: Member[] = [];
    for (const version of VERSIONS) others.push(await Member.join(app, "/room/a", version));
    const before = app.stats().traffic;
    app.publish("a", "x".repeat(10));
    app.publish("a", new Uint8Array(10));
    await settled();
    const after = app.stats().traffic;
    assertEquals(after.messagesOut - before.messagesOut, 5 + 3);
    assertEquals(after.bytesOut - before.bytesOut, 8 * 12);
    for (const other of others) other.transport.destroy();
  });
});

const HEAD = "HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const OLD = `HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n` +
  "Origin: http://good\r\n";
const KEYS = "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n" +
  "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n";

/** A handshake that fails: its bytes, and the counted reason. */
const refusals: [string, RefusalReason, Partial<Settings>?][] = [
  ["nonsense\r\n\r\n", "request"],
  [`GET / ${HEAD}${"X: y\r\n".repeat(200)}${KEY}\r\n`, "request"],
  [`GET /room/%ff ${HEAD}${KEY}\r\n`, "request"],
  [`GET /nowhere ${HEAD}${KEY}\r\n`, "path"],
  ["GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", "path"],
  [`POST / ${HEAD}${KEY}\r\n`, "method"],
  [`GET / ${HEAD}Sec-WebSocket-Version: 99\r\n\r\n`, "version"],
  ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "version"],
  [`GET / ${OLD}${KEYS}\r\n`, "version", { secureDraftsOnly: true }],
  [`GET /refuse?how=modern ${OLD}${KEYS}\r\n`, "version"],
  [`GET / ${HEAD}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n`, "handshake"],
  [`GET / ${HEAD}${KEY}Sec-WebSocket-Extensions: ;\r\n\r\n`, "handshake"],
  [`GET / ${HEAD}${KEY}Sec-WebSocket-Protocol: a b\r\n\r\n`, "handshake"],
  [`GET / ${HEAD}${KEY}Content-Length: 1\r\n\r\n`, "handshake"],
  [`CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n`, "method"],
  [`GET / ${OLD}Sec-WebSocket-Key1: none\r\nSec-WebSocket-Key2: none\r\n\r\n`, "handshake"],
  [`GET / ${HEAD}${KEY}\r\n`, "host", { allowedHosts: ["example.org"] }],
  [`GET / ${HEAD}${KEY}\r\n`, "limit", { maxConnectionsPerAddress: 1 }],
  [`GET / ${HEAD}${KEY}\r\n`, "limit", { maxConnections: 1 }],
  [`GET /refuse ${HEAD}${KEY}Origin: http://bad\r\n\r\n`, "origin"],
  // A refusal of the handler, with any status.
  ...[400, 401, 403, 404, 405, 408, 421, 426, 503].map((status): [string, RefusalReason] => [
    `GET /refuse?status=${status} ${HEAD}${KEY}\r\n`,
    "handler",
  ]),
  [`GET /refuse?how=throw ${HEAD}${KEY}\r\n`, "error"],
];

function connect(app: Application): MemoryTransport {
  const [server, client] = memoryPair();
  app.accept(server);
  client.events = { data() {}, drain() {}, end() {}, closed() {} };
  return client;
}

/** The reasons that are counted. */
function refused(app: Application): Partial<Record<RefusalReason, number>> {
  return Object.fromEntries(Object.entries(app.stats().refused).filter(([, count]) => count > 0));
}

describe("a refused or failed handshake is counted by its reason", () => {
  for (const [request, reason, settings] of refusals) {
    test(`${reason}: ${request.slice(0, 30).replace(/\r\n.*/s, "")}`, async () => {
      const app = makeApp(settings);
      const first = connect(app);
      await settled();
      const client = reason === "limit" ? connect(app) : first;
      client.write(latin1Bytes(request), true);
      await settled();
      assertEquals(refused(app), { [reason]: 1 });
      assertEquals(app.stats().connections, { open: 0, total: 0 });
      first.destroy();
      client.destroy();
      await settled();
      // A refused handshake is not counted again when its connection closes.
      assertEquals(app.stats().refused[reason], 1);
    });
  }

  const late: [string, string][] = [
    ["the request", "GET / "],
    ["prepare()", `GET /refuse?how=wait ${HEAD}${KEY}\r\n`],
    ["key3", `GET / ${OLD}${KEYS}\r\n1234`],
  ];
  for (const [what, request] of late) {
    test(`timeout: ${what}`, async () => {
      const clock = new FakeClock();
      const app = makeApp({ clock, allowedOrigins: ["http://good"] });
      const client = connect(app);
      client.write(latin1Bytes(request), true);
      await settled();
      await clock.advance(11_000);
      assertEquals(refused(app), { timeout: 1 });
      client.destroy();
      await settled();
      assertEquals(refused(app), { timeout: 1 });
    });

    test(`gone: before ${what} was complete`, async () => {
      const app = makeApp({ allowedOrigins: ["http://good"] });
      const client = connect(app);
      client.write(latin1Bytes(request), true);
      await settled();
      client.destroy();
      await settled();
      assertEquals(refused(app), { gone: 1 });
    });
  }
});

describe("plain HTTP", () => {
  test("is counted separately", async () => {
    const app = makeApp({ fetch: () => new Response("hello") });
    const client = connect(app);
    client.write(latin1Bytes("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n"), true);
    await settled();
    assertEquals(app.stats().requests, 1);
    assertEquals(refused(app), {});
    client.destroy();
  });
});
