/**
 * On Node, a server's sockets read into reused memory where Node allows this.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { connect, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeEach, describe, test } from "node:test";
import { listen } from "../../src/transport/listen.ts";
import { ChunkReader, type SocketClass } from "../../src/transport/node_onread.ts";
import { NodeTransport } from "../../src/transport/node_socket.ts";
import type { NodeSocket } from "../../src/transport/node_types.ts";
import { runtime } from "../support/runtime.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { credentials } from "./links.ts";
import { Recorder, Watched } from "./recorder.ts";
import { listenUpgraded, UPGRADE } from "./upgraded.ts";

const onChunk = () => true;

/** A fake socket that records the calls to it. */
function fakeSocket(
  handle?: object,
  readableLength = 0,
): { socket: NodeSocket; listeners: string[]; reads: number[] } {
  const listeners: string[] = [];
  const reads: number[] = [];
  const on = (event: string) => listeners.push(event);
  const read = (size: number) => reads.push(size);
  const socket = { on, read, readableLength, _handle: handle } as unknown as NodeSocket;
  return { socket, listeners, reads };
}

/** Two connections to one listener: the events at the server's ends, and the clients. */
async function connectTwo(): Promise<{ recorders: Recorder[]; clients: Socket[] }> {
  const accepted = new Watched();
  const recorders: Recorder[] = [];
  const listener = listen({ hostname: "127.0.0.1", port: 0 }, (transport) => {
    recorders.push(new Recorder(transport));
    accepted.changed();
  });
  await listener.listening;
  const clients: Socket[] = [];
  for (let i = 1; i <= 2; i++) {
    const client = connect({ port: listener.address.port, host: "127.0.0.1" });
    client.on("error", () => {});
    clients.push(client);
    // One after the other, so that they are accepted in this order.
    await accepted.until(() => recorders.length === i, "the connection");
  }
  listener.close();
  return { recorders, clients };
}

if (runtime === "node") {
  describe("the chunks of a server's sockets", () => {
    const texts: string[][] = [[], []];
    let recorders: Recorder[] = [];
    let clients: Socket[] = [];

    beforeEach(async () => {
      ({ recorders, clients } = await connectTwo());
      for (const [i, recorder] of recorders.entries()) {
        const heard: string[] = texts[i] = [];
        recorder.expected.check = (chunk) => heard.push(new TextDecoder().decode(chunk)) > 0;
      }
    });

    afterEach(async () => {
      for (const client of clients) client.destroy();
      for (const recorder of recorders) {
        recorder.transport.destroy();
        await recorder.until(() => recorder.gone, "closed");
        recorder.check();
      }
    });

    test("are not transferred", () => {
      for (const { transport } of recorders) assertEquals(transport.transfersChunks, false);
    });

    test("are held while paused, even if other sockets read meanwhile", async () => {
      const [first, second] = recorders as [Recorder, Recorder];
      first.act((transport) => transport.pause());
      clients[0]?.end("for the first");
      await first.settle();
      clients[1]?.write("for the second");
      await second.until(() => second.received > 0, "the second's bytes");
      assertEquals([texts[0], first.ended], [[], false]);
      for (const call of ["resume", "pause", "resume", "resume"] as const) {
        first.act((transport) => transport[call]());
      }
      await first.until(() => first.ended, "the end");
      assertEquals(texts, [["for the first"], ["for the second"]]);
    });

    test("are held while paused, and so is FIN alone", async () => {
      const [first] = recorders as [Recorder];
      first.act((transport) => transport.pause());
      clients[0]?.end();
      await first.settle();
      assertEquals(first.ended, false);
      first.act((transport) => transport.resume());
      await first.until(() => first.ended, "the end");
    });

    test("do not hide a reset while paused", async () => {
      const [first] = recorders as [Recorder];
      clients[0]?.write("before");
      await first.until(() => first.received > 0, "the bytes before");
      first.act((transport) => transport.pause());
      clients[0]?.write("while paused");
      await first.settle();
      clients[0]?.resetAndDestroy();
      await first.until(() => first.gone, "closed");
      assertEquals(texts[0], ["before"]);
    });

    test("are read while paused up to the limit of a stream", async () => {
      const [first] = recorders as [Recorder];
      let heard = 0;
      first.expected.check = (chunk) => chunk.every((byte) => byte === heard++ % 251);
      first.act((transport) => transport.pause());
      const bytes = Uint8Array.from({ length: 16 * 1024 * 1024 }, (_, i) => i % 251);
      let taken = false;
      clients[0]?.end(bytes, () => taken = true);
      await first.settle();
      assertEquals(taken, false);
      first.act((transport) => transport.resume());
      await first.until(() => first.ended, "the end");
      assertEquals(heard, bytes.length);
    });
  });
}

if (runtime === "node") {
  for (const secure of [false, true]) {
    test(`the chunks of an upgraded ${secure ? "TLS " : ""}socket are not transferred`, async () => {
      const accepted = Promise.withResolvers<Recorder>();
      const accept = (transport: Transport) => accepted.resolve(new Recorder(transport));
      const listener = listenUpgraded(secure ? credentials : {}, accept);
      await listener.listening;
      const { port } = listener.address;
      const client = secure
        ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
        : connect({ port, host: "127.0.0.1" });
      client.write(UPGRADE);
      const recorder = await accepted.promise;
      const heard: string[] = [];
      recorder.expected.check = (chunk) => heard.push(new TextDecoder().decode(chunk)) > 0;
      client.write("first");
      await recorder.until(() => heard.length === 1, "the first chunk");
      assertEquals(recorder.transport.transfersChunks, false);
      client.end("second");
      await recorder.until(() => recorder.ended, "the end");
      assertEquals(heard, ["first", "second"]);
      recorder.transport.destroy();
      client.destroy();
      listener.close();
    });
  }
}

describe("the option onread of an existing socket", () => {
  if (runtime === "node") {
    for (const bytesRead of [0, 300]) {
      test(`is set as the socket's constructor sets it, after ${bytesRead} bytes`, () => {
        const reader = new ChunkReader(() => Socket as unknown as SocketClass, onChunk);
        const buffers: Uint8Array[] = [];
        const { socket, reads } = fakeSocket({
          bytesRead,
          useUserBuffer: (buffer: Uint8Array) => buffers.push(buffer),
        });
        assertEquals(reader.attach(socket), true);
        const keyed = socket as unknown as Record<symbol, unknown>;
        const values = Object.getOwnPropertySymbols(socket).map((key) => keyed[key]);
        assertEquals(buffers.length, 1);
        assertEquals(new Set(values), new Set<unknown>([buffers[0], onChunk]));
        // A socket that has read before may have stopped.
        assertEquals(reads, bytesRead === 0 ? [] : [0]);
      });
    }
  }

  const handle = { bytesRead: 0, useUserBuffer() {} };
  const rows: [name: string, Socket: unknown, handle?: object, readableLength?: number][] = [
    ["if it has no handle", Socket],
    ["if its handle reads in another way", Socket, {}],
    ["if its stream has bytes", Socket, handle, 1],
    ["if sockets have it elsewhere", class {}, handle],
  ];
  for (const [name, SocketLike, handle, readableLength] of rows) {
    test(`is not set ${name}`, () => {
      const reader = new ChunkReader(() => SocketLike as SocketClass, onChunk);
      const { socket } = fakeSocket(handle, readableLength);
      assertEquals(reader.attach(socket), false);
      assertEquals(Object.getOwnPropertySymbols(socket), []);
    });
  }

  test("is not needed: chunks come as events", () => {
    const { socket, listeners } = fakeSocket();
    const transport = new NodeTransport(socket);
    transport.events = { data() {}, drain() {}, end() {}, closed() {} };
    assertEquals([transport.transfersChunks, listeners.includes("data")], [true, true]);
  });
});

describe("a socket that reads through its stream", () => {
  /** A paused transport, what its socket was told, and a way to bring it a chunk. */
  function paused(handle?: object) {
    const told: string[] = [];
    const listeners: Record<string, (chunk?: Uint8Array) => void> = {};
    const socket = {
      on(event: string, listener: () => void) {
        listeners[event] = listener.bind(socket);
      },
      pause: () => told.push("pause"),
      resume: () => told.push("resume"),
      _handle: handle === undefined ? undefined : {
        readStop: () => told.push("readStop"),
        readStart: () => told.push("readStart"),
      },
    };
    const transport = new NodeTransport(socket as unknown as NodeSocket);
    const heard: (number | string)[] = [];
    transport.events = {
      data: (chunk) => heard.push(chunk.length),
      drain() {},
      end: () => heard.push("end"),
      closed() {},
    };
    transport.pause();
    return { transport, told, heard, listeners };
  }

  for (const handle of [undefined, {}]) {
    const stops = handle === undefined || runtime !== "node"
      ? ["pause", "resume"]
      : ["readStop", "readStart"];
    const name = handle === undefined ? "without a handle" : "with a handle";
    test(`${name} holds 64 KiB of small chunks while paused, then reads no more`, async () => {
      const { transport, told, heard, listeners } = paused(handle);
      for (let i = 1; i < 65_536; i++) listeners.data?.(new Uint8Array(1));
      assertEquals([told, heard], [[], []]);
      listeners.data?.(new Uint8Array(1));
      assertEquals([told, heard], [stops.slice(0, 1), []]);
      transport.resume();
      transport.pause();
      await Promise.resolve();
      assertEquals([told.length, heard], [1, []]);
      transport.resume();
      await Promise.resolve();
      assertEquals(told, stops);
      assertEquals(heard.reduce<number>((sum, length) => sum + Number(length), 0), 65_536);
      listeners.data?.(new Uint8Array(5));
      listeners.end?.();
      assertEquals(heard.slice(-2), [5, "end"]);
    });

    test(`${name} holds FIN after the held bytes while paused`, async () => {
      const { transport, told, heard, listeners } = paused(handle);
      listeners.data?.(new Uint8Array(3));
      listeners.end?.();
      assertEquals(heard, []);
      transport.resume();
      await Promise.resolve();
      assertEquals([heard, told], [[3, "end"], []]);
    });
  }
});

describe("work of a socket that reads through its stream", () => {
  test("starts at once", () => {
    const { socket } = fakeSocket();
    let started = 0;
    new NodeTransport(socket).defer({ start: () => void started++ });
    assertEquals(started, 1);
  });
});
