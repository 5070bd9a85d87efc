import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import {
  type AccessEntry,
  Application,
  type ListenOptions,
  type Server,
  type Settings,
  WebSocketHandler,
} from "../../mod.ts";
import { LOG_INTERVAL } from "../../src/server/log.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { arrival } from "../support/arrival.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { proxyV2 } from "../support/proxy_header.ts";
import { credentials } from "../transport/links.ts";

/** Tells who its client is, and then says what the client says. */
class Who extends WebSocketHandler {
  override open(): void {
    const { remoteAddress, localAddress, secure, proxiedTls } = this.connection;
    this.writeMessage({ remoteAddress, localAddress, secure, proxiedTls });
  }
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** Where a server listens: `tcp`, with TLS, or at a path. */
type Place = "tcp" | "tls" | "unix";

/** A server that asks for PROXY headers, on a fake clock, and the sockets connected to it. */
class Rig {
  readonly clock: FakeClock = new FakeClock();
  readonly lines: string[] = [];
  readonly entries: AccessEntry[] = [];
  readonly app: Application;
  readonly server: Server;
  readonly place: Place;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "waterspout-"));
  readonly #sockets: Socket[] = [];

  constructor(place: Place, settings: Partial<Settings> = {}) {
    this.place = place;
    this.app = new Application([["/", Who]], {
      clock: this.clock,
      log: (message, error) => this.lines.push(`${message} ${(error as Error)?.message ?? ""}`),
      accessLog: (entry) => this.entries.push(entry),
      trustProxy: ["127.0.0.0/8", "unix"],
      proxyProtocol: true,
      pingInterval: 0,
      ...settings,
    });
    const options: ListenOptions = place === "unix"
      ? { path: join(this.#folder, "socket") }
      : { hostname: "127.0.0.1", ...(place === "tls" ? credentials : {}) };
    this.server = this.app.listen(options);
  }

  /** Connects as the proxy does. */
  async connect(): Promise<Socket> {
    await this.server.listening;
    const { addr } = this.server;
    const socket = this.place === "unix" ? connect(addr.hostname) : connect(addr.port, "127.0.0.1");
    this.#sockets.push(socket);
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  /** Sends a header, and what a client sends. */
  async client(header: string | Uint8Array, fields: readonly string[] = []): Promise<Client> {
    const raw = await this.connect();
    const bytes = typeof header === "string" ? latin1Bytes(header) : header;
    if (this.place !== "tls") return new Client(raw, bytes, fields);
    raw.write(bytes);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false, servername: "localhost" });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return new Client(socket, new Uint8Array(0), fields);
  }

  /** How many sockets the application counts, and what it has refused. */
  get counts(): string {
    const { sockets, refused } = this.app.stats();
    return `${sockets} sockets, ${refused.proxy} proxy, ${refused.tls} tls, ${refused.limit} limit`;
  }

  /** Waits for the network. */
  async until(sockets: number, proxy: number, tls = 0, limit = 0): Promise<void> {
    const counts = `${sockets} sockets, ${proxy} proxy, ${tls} tls, ${limit} limit`;
    const patience = Date.now() + 60_000;
    while (this.counts !== counts) {
      assert(Date.now() < patience, `Waited in vain for ${counts}, it is ${this.counts}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async end(): Promise<void> {
    const stopped = this.server.shutdown();
    for (const socket of this.#sockets) socket.destroy();
    await stopped;
    rmSync(this.#folder, { recursive: true });
    assertEquals(this.clock.pending, 0);
    assertEquals(this.app.stats().sockets, 0);
  }
}

/** A client that opens a WebSocket in one write with what comes before. */
class Client {
  readonly socket: Socket | TLSSocket;
  received = "";

  constructor(socket: Socket, before: Uint8Array, fields: readonly string[]) {
    this.socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => this.received += text);
    const head = [
      "GET / HTTP/1.1",
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      ...fields,
    ].join("\r\n");
    socket.write(new Uint8Array([...before, ...latin1Bytes(`${head}\r\n\r\n`)]));
  }

  /** Waits for the answer: its status, and what {@linkcode Who} says. */
  async answer(): Promise<{ status: number; who: Record<string, unknown> }> {
    while (!/\r\n\r\n(?:[^]*\}|[^]*\n$)/.test(this.received)) {
      await Promise.race([once(this.socket, "data"), once(this.socket, "close")]);
      if (this.socket.destroyed) break;
    }
    const status = Number(this.received.slice(9, 12));
    const json = /\{.*\}/.exec(this.received)?.[0] ?? "{}";
    return { status, who: JSON.parse(json) };
  }
}

/** Waits for the end of a socket. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.resume();
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

const V1 = "PROXY TCP4 203.0.113.7 192.0.2.1 5678 443\r\n";
const V4 = [203, 0, 113, 7, 192, 0, 2, 1, 22, 46, 1, 187];
const PLACES: readonly Place[] = ["tcp", "tls", "unix"];
const CLIENT = { transport: "tcp", hostname: "203.0.113.7", port: 5678 };
const LOCAL = { transport: "tcp", hostname: "192.0.2.1", port: 443 };

for (const place of PLACES) {
  const secure = place === "tls";

  describe(`a PROXY header over ${place}`, () => {
    test("tells the addresses of the connection", async () => {
      const rig = new Rig(place);
      const headers = [
        V1,
        proxyV2({ addresses: V4 }),
        proxyV2({ addresses: V4, fields: [[9, [1]]] }),
      ];
      for (const header of headers) {
        const client = await rig.client(header);
        const { status, who } = await client.answer();
        assertEquals(status, 101);
        assertEquals(who, { remoteAddress: CLIENT, localAddress: LOCAL, secure, proxiedTls: {} });
        client.socket.destroy();
      }
      await rig.until(0, 0);
      const addresses = rig.entries.map((
        { kind, remoteAddress },
      ) => [kind, remoteAddress.hostname]);
      const [opened, closed] = [["handshake", "203.0.113.7"], ["close", "203.0.113.7"]];
      assertEquals(addresses, [opened, closed, opened, closed, opened, closed]);
      assertEquals(rig.lines, []);
      await rig.end();
    });

    test("may arrive byte by byte, and in two parts", async () => {
      const rig = new Rig(place);
      const bytes = latin1Bytes(V1);
      for (const size of [1, 7, bytes.length - 1]) {
        const raw = await rig.connect();
        raw.setNoDelay(true);
        for (let at = 0; at < bytes.length; at += size) {
          raw.write(bytes.subarray(at, at + size));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        let socket: Socket = raw;
        if (secure) {
          socket = connectTls({ socket: raw, rejectUnauthorized: false });
          socket.on("error", () => {});
          await once(socket, "secureConnect");
        }
        const { who } = await new Client(socket, new Uint8Array(0), []).answer();
        assertEquals(who.remoteAddress, CLIENT);
        socket.destroy();
      }
      await rig.end();
    });

    test("of a health check, or of a proxy that does not know, leaves the socket's address", async () => {
      const rig = new Rig(place);
      for (
        const header of [
          "PROXY UNKNOWN\r\n",
          proxyV2({ command: 0x20, family: 0 }),
          proxyV2({ command: 0x20, family: 0x11, addresses: V4 }),
          proxyV2({ family: 0 }),
        ]
      ) {
        const client = await rig.client(header);
        const { who } = await client.answer();
        const { hostname, transport } = who.remoteAddress as Record<string, string>;
        assertEquals(hostname, place === "unix" ? "" : "127.0.0.1");
        assertEquals(transport, place === "unix" ? "unix" : "tcp");
        client.socket.destroy();
      }
      await rig.end();
    });

    test("tells of TLS, ALPN and the host name", async () => {
      const rig = new Rig(place);
      const text = (value: string) => [...latin1Bytes(value)];
      const header = proxyV2({
        addresses: V4,
        fields: [[0x01, text("http/1.1")], [0x02, text("a.example")], [0x20, [1, 0, 0, 0, 0]]],
      });
      const { who } = await (await rig.client(header)).answer();
      assertEquals(who.secure, true);
      assertEquals(who.proxiedTls, { alpn: "http/1.1", authority: "a.example" });
      const plain = proxyV2({ addresses: V4, fields: [[0x20, [0, 0, 0, 0, 0]]] });
      assertEquals((await (await rig.client(plain)).answer()).who.secure, false);
      await rig.end();
    });

    test("that is missing or malformed ends the connection at once, with one line", async () => {
      const rig = new Rig(place);
      let count = 0;
      for (
        const bytes of [
          "GET / HTTP/1.1\r\n\r\n",
          "\x16\x03\x01\x02\x00\x01",
          "PROXY TCP4 1.2.3.4 5.6.7.8 x 1\r\n",
          `PROXY UNKNOWN ${"x".repeat(93)}`,
          proxyV2({ command: 0x31 }),
          proxyV2({ addresses: V4.slice(1) }),
          proxyV2({ addresses: V4, fields: [[0x03, [1, 2, 3, 4]]] }),
        ]
      ) {
        const socket = await rig.connect();
        socket.write(typeof bytes === "string" ? latin1Bytes(bytes) : bytes);
        await gone(socket);
        await rig.until(0, ++count);
      }
      assertEquals(rig.lines.length, 1);
      const from = place === "unix" ? "a unix socket" : "127.0.0.1";
      const line =
        `Refused a connection from ${from}: a connection must begin with a PROXY header, ` +
        'got "G" (PROXY protocol §2) ';
      assertEquals(rig.lines[0], line);
      assertEquals(rig.entries.map((entry) => "reason" in entry && entry.reason), [
        ...Array<string>(count).fill("proxy"),
      ]);
      await rig.clock.advance(LOG_INTERVAL);
      const socket = await rig.connect();
      socket.write("GET");
      await gone(socket);
      assertMatch(rig.lines[1] ?? "", /\(6 similar lines suppressed\)/);
      await rig.end();
    });

    test("that is late ends the connection after 3 s", async () => {
      const rig = new Rig(place);
      const silent = await rig.connect();
      await rig.until(1, 0);
      const half = await rig.connect();
      half.write(V1.slice(0, 20));
      await rig.until(2, 0);
      await rig.clock.advance(2900);
      assertEquals(rig.app.stats().sockets, 2);
      await rig.clock.advance(200);
      await Promise.all([gone(silent), gone(half)]);
      await rig.until(0, 2);
      assertEquals(rig.lines.length, 1);
      assertMatch(rig.lines[0] ?? "", /: its PROXY header was not complete within 3000 ms $/);
      await rig.end();
    });

    test("that is cut short is refused; a connection without a byte is a health check", async () => {
      const rig = new Rig(place);
      const silent = await rig.connect();
      await rig.until(1, 0);
      silent.end();
      await rig.until(0, 0);
      const half = await rig.connect();
      half.end(V1.slice(0, 20));
      await rig.until(0, 1);
      assertMatch(rig.lines[0] ?? "", /: it ended before its PROXY header was complete $/);
      await rig.end();
    });

    test("and the handshakes behind it share handshakeTimeout", async () => {
      const rig = new Rig(place, { handshakeTimeout: 4000 });
      const raw = await rig.connect();
      await rig.until(1, 0);
      await rig.clock.advance(2500);
      raw.write(secure ? V1 : `${V1}GET / HTTP/1.1\r\n`);
      // The bytes have arrived when the server has no more patience for the header.
      await arrival();
      await rig.clock.advance(1400);
      assertEquals(rig.app.stats().sockets, 1);
      assertEquals(rig.app.stats().refused.proxy, 0);
      await rig.clock.advance(200);
      const { refused } = rig.app.stats();
      assertEquals([refused.proxy, refused.tls + refused.timeout], [0, 1]);
      await rig.end();
    });

    test("pending at a shutdown does not delay it", async () => {
      const rig = new Rig(place);
      const socket = await rig.connect();
      await rig.until(1, 0);
      await rig.server.shutdown({ timeout: 0 });
      await gone(socket);
      await rig.end();
    });

    test("counts for maxConnections", async () => {
      const rig = new Rig(place, { maxConnections: 1 });
      const silent = await rig.connect();
      await rig.until(1, 0);
      await gone(await rig.connect());
      await rig.until(1, 0, 0, 1);
      silent.destroy();
      await rig.until(0, 0, 0, 1);
      assertEquals((await (await rig.client(V1)).answer()).status, 101);
      await rig.end();
    });

    test("tells the address that maxConnectionsPerAddress counts", async () => {
      const rig = new Rig(place, { maxConnectionsPerAddress: 1 });
      assertEquals((await (await rig.client(V1)).answer()).status, 101);
      const other = V1.replace("203.0.113.7", "203.0.113.8");
      assertEquals((await (await rig.client(other)).answer()).status, 101);
      // With TLS, a client over the limit gets no answer.
      const second = await rig.client(V1).then((client) => client.answer(), () => ({ status: 0 }));
      assertEquals(second.status, secure ? 0 : 503);
      await rig.until(2, 0, 0, 1);
      await rig.end();
    });

    test("tells the address that must be trusted to tell more", async () => {
      const rig = new Rig(place, { trustProxy: ["127.0.0.1", "unix", "198.51.100.0/24"] });
      const fields = ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https"];
      const hostnameOf = async (header: string) => {
        const { who } = await (await rig.client(header, fields)).answer();
        return [(who.remoteAddress as { hostname: string }).hostname, who.secure];
      };
      assertEquals(await hostnameOf(V1), ["203.0.113.7", secure]);
      const chained = V1.replace("203.0.113.7", "198.51.100.9");
      assertEquals(await hostnameOf(chained), ["6.6.6.6", true]);
      await rig.end();
    });

    test("of an address that trustProxy does not list is refused at once", async () => {
      const rig = new Rig(place, { trustProxy: ["198.51.100.0/24"] });
      const socket = await rig.connect();
      socket.write(V1);
      await gone(socket);
      await rig.until(0, 1);
      const from = place === "unix" ? "a unix socket" : "127.0.0.1";
      assertEquals(rig.lines, [
        `Refused a connection from ${from}: proxyProtocol accepts only the proxies that trustProxy ` +
        "lists ",
      ]);
      await rig.end();
    });
  });
}

describe("the setting proxyProtocol", () => {
  test("without trustProxy is a TypeError", () => {
    for (const settings of [{}, { trustProxy: [] }]) {
      const error = assertThrows(
        () => new Application([], { ...settings, proxyProtocol: true }),
        TypeError,
      );
      assertEquals(
        error.message,
        "Cannot use proxyProtocol: needs the proxies' addresses in trustProxy",
      );
    }
    for (const proxyProtocol of ["v2", 1, null]) {
      assertThrows(
        () => new Application([], { trustProxy: ["::1"], proxyProtocol } as never),
        TypeError,
        "Cannot use proxyProtocol: must be a boolean",
      );
    }
  });

  test("excludes http2, whose sessions would have the address of the proxy", () => {
    const app = new Application([], { trustProxy: ["127.0.0.1"], proxyProtocol: true });
    const error = assertThrows(() => app.listen({ ...credentials, http2: true }), TypeError);
    assertEquals(
      error.message,
      "Cannot listen: http2 and the setting proxyProtocol exclude each other",
    );
  });

  test("is off by default: then a header is a malformed request", async () => {
    const rig = new Rig("tcp", { proxyProtocol: false });
    const { status } = await (await rig.client(V1)).answer();
    assertEquals(status, 400);
    await rig.end();
  });
});
