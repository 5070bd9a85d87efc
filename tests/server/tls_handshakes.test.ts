import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Application, type ListenOptions, type Server, type Settings } from "../../mod.ts";
import { LOG_INTERVAL } from "../../src/server/log.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { arrival } from "../support/arrival.ts";
import { runtime } from "../support/runtime.ts";
import { credentials } from "../transport/links.ts";

/** Deno keeps the descriptor of a handshake that was ended, so that its client hears nothing. */
const clientHears = runtime !== "deno";

/** A server with TLS on a fake clock, and the sockets that were connected to it. */
class Rig {
  readonly clock: FakeClock = new FakeClock();
  readonly lines: string[] = [];
  readonly errors: Error[] = [];
  readonly app: Application;
  readonly server: Server;
  readonly #sockets: Socket[] = [];

  constructor(settings: Partial<Settings> = {}, options: ListenOptions = {}) {
    this.app = new Application([], {
      clock: this.clock,
      log: (message, error) => this.lines.push(`${message} ${(error as Error)?.message}`),
      ...settings,
    });
    this.server = this.app.listen({ hostname: "127.0.0.1", ...credentials, ...options });
  }

  /** Connects by TCP. */
  async connect(): Promise<Socket> {
    await this.server.listening;
    const socket = connect(this.server.addr.port, "127.0.0.1");
    this.#sockets.push(socket);
    socket.on("error", () => {}).resume();
    await once(socket, "connect");
    return socket;
  }

  /** Connects by TCP and begins a handshake. */
  async begin(): Promise<TLSSocket> {
    await this.server.listening;
    const { port } = this.server.addr;
    const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
    this.#sockets.push(socket);
    socket.on("error", () => {}).resume();
    return socket;
  }

  /** How many sockets the application counts, and what it has refused. */
  get counts(): [sockets: number, tls: number, limit: number] {
    const { sockets, refused } = this.app.stats();
    return [sockets, refused.tls, refused.limit];
  }

  /** Waits for the network. */
  async until(...counts: readonly number[]): Promise<void> {
    const patience = Date.now() + 60_000;
    while (String(this.counts) !== String(counts)) {
      assert(Date.now() < patience, `Waited in vain for ${counts}, it is ${this.counts}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async end(): Promise<void> {
    const stopped = this.server.shutdown();
    for (const socket of this.#sockets) socket.destroy();
    await stopped;
    assertEquals(this.clock.pending, 0);
  }
}

/** Waits for the end of a client's socket. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

describe("a TLS handshake", () => {
  test("that stalls is ended at handshakeTimeout", async () => {
    const errors: Error[] = [];
    const rig = new Rig({ handshakeTimeout: 4000 }, { onError: (error) => errors.push(error) });
    const silent = await rig.connect();
    const half = await rig.connect();
    half.write("\x16\x03\x01\x02\x00");
    await rig.until(2, 0, 0);
    await rig.clock.advance(3900);
    assertEquals(rig.counts, [2, 0, 0]);
    await rig.clock.advance(200);
    assertEquals(rig.counts, [0, 2, 0]);
    if (clientHears) await Promise.all([gone(silent), gone(half)]);
    assertEquals(errors.map(({ message }) => message), [
      "TLS handshake not finished within handshakeTimeout (4000 ms)",
      "TLS handshake not finished within handshakeTimeout (4000 ms)",
    ]);
    assertEquals(rig.lines, []);
    await rig.end();
    assertEquals(errors.length, 2);
  });

  test("and the WebSocket handshake behind it share handshakeTimeout", async () => {
    const rig = new Rig({ handshakeTimeout: 4000 });
    const raw = await rig.connect();
    await rig.until(1, 0, 0);
    await rig.clock.advance(3000);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text) => answer += text);
    const ended = new Promise((resolve) => socket.once("end", resolve).once("close", resolve));
    socket.write("GET / HTTP/1.1\r\n");
    // Otherwise, the server may not have seen the end of the handshake.
    await arrival();
    await rig.clock.advance(800);
    assertEquals([rig.app.stats().sockets, answer], [1, ""]);
    await rig.clock.advance(300);
    await ended;
    assertMatch(answer, /^HTTP\/1\.1 408 /);
    await rig.end();
  });

  test("may take for ever with handshakeTimeout 0, as the WebSocket handshake behind it", async () => {
    const rig = new Rig({ handshakeTimeout: 0 });
    const raw = await rig.connect();
    await rig.until(1, 0, 0);
    await rig.clock.advance(100_000_000);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    socket.write("GET / HTTP/1.1\r\n");
    await rig.clock.advance(100_000_000);
    socket.write("Host: a\r\n\r\n");
    const [answer] = await once(socket, "data");
    assertMatch(String(answer), /^HTTP\/1\.1 404 /);
    await rig.end();
  });

  test("may take for ever if handshakeTimeout is 0", async () => {
    const rig = new Rig({ handshakeTimeout: 0 });
    const raw = await rig.connect();
    await rig.until(1, 0, 0);
    await rig.clock.advance(24 * 60 * 60 * 1000);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    await rig.clock.advance(24 * 60 * 60 * 1000);
    assertEquals(rig.counts, [1, 0, 0]);
    socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const [answer] = await once(socket, "data");
    assertMatch(String(answer), /^HTTP\/1\.1 404 /);
    await rig.end();
  });

  test("counts for maxConnections from the start", async () => {
    const rig = new Rig({ maxConnections: 2 });
    const silent = [await rig.connect(), await rig.connect()];
    await rig.until(2, 0, 0);
    const refused = await rig.begin();
    await rig.until(2, 0, 1);
    if (clientHears) await gone(refused);
    silent[0]?.destroy();
    await rig.until(1, 1, 1);
    const served = await rig.begin();
    await once(served, "secureConnect");
    served.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const [answer] = await once(served, "data");
    assertMatch(String(answer), /^HTTP\/1\.1 404 /);
    await rig.end();
  });

  test("counts for maxConnectionsPerAddress from the start", async () => {
    const rig = new Rig({ maxConnectionsPerAddress: 1 });
    const silent = await rig.connect();
    await rig.until(1, 0, 0);
    const refused = await rig.begin();
    await rig.until(1, 0, 1);
    if (clientHears) await gone(refused);
    silent.destroy();
    await rig.until(0, 1, 1);
    const served = await rig.begin();
    await once(served, "secureConnect");
    await rig.until(1, 1, 1);
    await rig.end();
  });

  test("that fails is counted, and logged once per interval", async () => {
    const rig = new Rig();
    const fail = async (bytes: string | undefined, count: number): Promise<void> => {
      const socket = await rig.connect();
      if (bytes === undefined) socket.destroy();
      else socket.write(bytes, "latin1");
      await rig.until(0, count, 0);
      socket.destroy();
    };
    const garbage = ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05abcde", undefined];
    for (let i = 1; i <= 12; i++) await fail(garbage[i % garbage.length], i);
    assertEquals(rig.lines.length, 1);
    assertStringIncludes(rig.lines[0] ?? "", "Cannot finish a TLS handshake: ");
    await rig.clock.advance(LOG_INTERVAL);
    await fail(garbage[0], 13);
    assertEquals(rig.lines.length, 2);
    assertStringIncludes(rig.lines[1] ?? "", "(11 similar lines suppressed)");
    await rig.end();
  });

  test("does not delay a shutdown", async () => {
    const rig = new Rig();
    const sockets = [await rig.connect(), await rig.connect()];
    await rig.until(2, 0, 0);
    await rig.server.shutdown({ timeout: 0 });
    assertEquals(rig.counts, [0, 0, 0]);
    if (clientHears) await Promise.all(sockets.map(gone));
    await rig.end();
  });
});
