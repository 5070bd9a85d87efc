/**
 * A transport over `node:net` whose peer does not read: how often it writes, and how much it keeps. The
 * first half uses fake sockets that the test can stop, so that it is the same on each runtime. The
 * second half uses Node's sockets.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { NodeTransport } from "../../src/transport/node_socket.ts";
import type { NodeSocket, WriteCallback } from "../../src/transport/node_types.ts";
import { runtime } from "../support/runtime.ts";
import { credentials } from "./links.ts";
import { Pattern } from "./pattern.ts";

/** A socket that finishes a write only when the test says so. */
class SlowSocket {
  readonly encrypted: boolean;
  /** How often `write` was called with bytes. */
  writes = 0;
  /** Whether writes finish at once. */
  takes = false;
  /** The bytes of finished writes. */
  readonly expected = new Pattern();
  intact = true;
  ended = false;
  largest = 0;
  #pending: { readonly bytes: Uint8Array; readonly callback: WriteCallback | undefined }[] = [];

  constructor(encrypted: boolean) {
    this.encrypted = encrypted;
  }

  get writableLength(): number {
    return this.#pending.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** How many writes of bytes are not finished. */
  get pending(): number {
    return this.#pending.filter(({ bytes }) => bytes.length > 0).length;
  }

  on(): void {}

  write(bytes: Uint8Array, callback?: WriteCallback): boolean {
    if (bytes.length > 0) this.writes++;
    this.largest = Math.max(this.largest, bytes.length);
    this.#pending.push({ bytes, callback });
    // As in Node: a TLS write never finishes at once.
    if (this.takes && !this.encrypted) this.take();
    return true;
  }

  /** Finishes all writes. */
  take(): void {
    for (const { bytes, callback } of this.#pending.splice(0)) {
      this.intact &&= this.expected.check(bytes);
      callback?.();
    }
  }

  end(): void {
    this.ended = true;
  }
}

/** A transport over a {@linkcode SlowSocket}. */
function slow(
  encrypted: boolean,
): { socket: SlowSocket; transport: NodeTransport; drains: number } {
  const socket = new SlowSocket(encrypted);
  const transport = new NodeTransport(socket as unknown as NodeSocket);
  const seen = { socket, transport, drains: 0 };
  transport.events = { data() {}, drain: () => void seen.drains++, end() {}, closed() {} };
  return seen;
}

for (const encrypted of [false, true]) {
  describe(`output that a socket of node:net ${encrypted ? "with TLS " : ""}does not accept`, () => {
    test("waits behind one write, and is sent in few writes", () => {
      const seen = slow(encrypted);
      const { socket, transport } = seen;
      const pattern = new Pattern();
      for (let i = 0; i < 10_000; i++) transport.write(pattern.take(1), i % 2 === 0);
      assertEquals([socket.writes, transport.bufferedAmount], [1, 10_000]);
      for (let taken = 0; transport.bufferedAmount > 0; taken++) {
        assert(taken < 5);
        assertEquals(socket.pending, 1);
        socket.take();
      }
      assertEquals([socket.intact, socket.expected.position], [true, 10_000]);
      assert(socket.writes <= 4, `${socket.writes} writes`);
      assertEquals(seen.drains, 1);
    });

    test("is sent in order, whatever its pieces are", () => {
      const { socket, transport } = slow(encrypted);
      const pattern = new Pattern();
      for (let round = 0; round < 3; round++) {
        for (const length of [1, 600_000, 2, 5000, 4096, 70_000, 3, 1_000_000]) {
          transport.write(pattern.take(length), length % 2 === 0);
          const padded = new Uint8Array(length + 9);
          padded.set(pattern.take(length));
          transport.writeStart(padded, length);
          padded.fill(0);
        }
        while (transport.bufferedAmount > 0) {
          assertEquals(transport.bufferedAmount, pattern.position - socket.expected.position);
          socket.take();
        }
        assertEquals([socket.intact, socket.expected.position], [true, pattern.position]);
      }
      // TLS copies what it encrypts.
      assertEquals(socket.largest <= 256 * 1024, encrypted);
    });

    test("is followed by FIN, and later writes are ignored", () => {
      const seen = slow(encrypted);
      const { socket, transport } = seen;
      const pattern = new Pattern();
      for (let i = 0; i < 100; i++) transport.write(pattern.take(100), false);
      transport.end();
      transport.write(new Uint8Array(100), true);
      assertEquals([socket.ended, transport.bufferedAmount], [false, 10_000]);
      while (!socket.ended) socket.take();
      assertEquals([socket.expected.position, socket.intact], [10_000, true]);
      assertEquals([seen.drains, transport.bufferedAmount], [0, 0]);
    });

    test("is dropped once the write before it fails, or the socket is destroyed", () => {
      const { socket, transport } = slow(encrypted);
      let fail: WriteCallback | undefined;
      const failing = Object.assign(socket, {
        destroy() {},
        write: (_: Uint8Array, callback?: WriteCallback) => void (fail = callback),
      });
      Object.defineProperty(failing, "writableLength", { value: 1 });
      for (let i = 0; i < 3; i++) transport.write(new Uint8Array(10), true);
      fail?.(new Error("EPIPE"));
      assertEquals(transport.bufferedAmount, 30);
      transport.destroy();
      assertEquals(transport.bufferedAmount, 0);
    });
  });
}

describe("output that a socket of node:net accepts at once", () => {
  test("is not queued", () => {
    const { socket, transport } = slow(false);
    socket.takes = true;
    const pattern = new Pattern();
    for (let i = 0; i < 1000; i++) transport.write(pattern.take(40), i % 2 === 0);
    assertEquals([socket.writes, transport.bufferedAmount], [1000, 0]);
    assertEquals([socket.intact, socket.expected.position], [true, 40_000]);
  });
});

/** A server's transport whose peer does not read, and the peer. */
async function stalled(secure: boolean): Promise<{
  transport: NodeTransport;
  writes: () => number;
  peer: Socket;
  stop(): void;
}> {
  const accepted = Promise.withResolvers<Socket>();
  const server = secure
    ? createTlsServer(credentials, accepted.resolve)
    : createServer(accepted.resolve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const peer = secure
    ? connectTls({ port, host: "127.0.0.1", ca: credentials.cert, servername: "localhost" })
    : connectTcp({ port, host: "127.0.0.1" });
  peer.on("error", () => {});
  peer.pause();
  const socket = await accepted.promise;
  let writes = 0;
  const { write } = socket;
  socket.write = ((bytes: Uint8Array, callback: WriteCallback) => {
    writes++;
    return write.call(socket, bytes, callback as never);
  }) as Socket["write"];
  const transport = new NodeTransport(socket as unknown as NodeSocket);
  transport.events = { data() {}, drain() {}, end() {}, closed() {} };
  const stop = (): void => {
    peer.destroy();
    transport.destroy();
    server.close();
  };
  return { transport, writes: () => writes, peer, stop };
}

// On Deno and Bun, sockets have no handle that tells how much the system has accepted.
if (runtime === "node") {
  describe("output for a peer that does not read, on Node", () => {
    for (const secure of [false, true]) {
      test(`is counted at O(1) cost, ${secure ? "TLS" : "TCP"}`, async () => {
        const { transport, writes, peer, stop } = await stalled(secure);
        try {
          const large = new Uint8Array(100_000);
          let sent = 0;
          for (; transport.bufferedAmount < 2 ** 20; sent += large.length) {
            transport.write(large, true);
            await new Promise((resolve) => setImmediate(resolve));
          }
          const before = { writes: writes(), amount: transport.bufferedAmount };
          for (let i = 0; i < 58_000; i++) transport.write(large.subarray(0, 3), true);
          assertEquals(writes(), before.writes);
          assertEquals(transport.bufferedAmount, before.amount + 174_000);
          let received = 0;
          await new Promise<void>((resolve) => {
            peer.on("data", (chunk: Uint8Array) => {
              received += chunk.length;
              if (received === sent + 174_000) resolve();
            });
            peer.resume();
          });
          assert(writes() - before.writes < 200, `${writes() - before.writes} writes`);
        } finally {
          stop();
        }
      });
    }
  });
}
