/**
 * What a transport frees: with `release` the memory of a large chunk, but no shared memory, and
 * at its end its receiver.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { type BunSocket, BunTransport } from "../../src/transport/bun_socket.ts";
import { freeChunk, MIN_FREED_SIZE } from "../../src/transport/free_chunk.ts";
import { NodeTransport } from "../../src/transport/node_socket.ts";
import type { NodeSocket } from "../../src/transport/node_types.ts";

const KIB = 1024;
const isNode = !("Deno" in globalThis || "Bun" in globalThis);

test("release() of a transport of node:net frees a large chunk on Node", () => {
  const transport = new NodeTransport({ on() {} } as unknown as NodeSocket);
  const [large, small] = [new Uint8Array(64 * KIB), new Uint8Array(4 * KIB)];
  transport.release(large);
  transport.release(small);
  assertEquals(large.length, isNode ? 0 : 64 * KIB);
  assertEquals(small.length, 4 * KIB);
});

test("release() of a transport of Bun frees a large chunk", () => {
  const peer = { transport: "tcp", hostname: "127.0.0.1" } as const;
  const transport = new BunTransport({} as BunSocket, false, peer);
  const [large, small] = [new Uint8Array(64 * KIB), new Uint8Array(4 * KIB)];
  transport.release(large);
  transport.release(small);
  assertEquals([large.length, small.length], [0, 4 * KIB]);
});

test("a transport of node:net drops its receiver when the socket is closed", () => {
  const listeners: string[] = [];
  const socket = { on: (event: string) => void listeners.push(event) } as unknown as NodeSocket;
  const transport = new NodeTransport(socket);
  const told: (Error | undefined)[] = [];
  const receiver = { data() {}, drain() {}, end() {}, closed: (error?: Error) => told.push(error) };
  transport.events = receiver;
  const error = new Error("ECONNRESET");
  transport.failed(error);
  transport.gone();
  assertEquals([told, transport.events === receiver], [[error], false]);
  // A receiver that comes later is not told again, and does not start to read.
  const before = listeners.length;
  transport.events = receiver;
  assertEquals([told.length, listeners.length], [1, before]);
});

describe("the memory of a chunk", () => {
  test("is freed if the chunk has all of it", () => {
    const chunk = new Uint8Array(64 * KIB);
    freeChunk(chunk);
    assertEquals(chunk.length, 0);
  });

  test("is not freed if the chunk is small", () => {
    const chunks = [new Uint8Array(MIN_FREED_SIZE), new Uint8Array(MIN_FREED_SIZE - 1)];
    for (const chunk of chunks) freeChunk(chunk);
    assertEquals(chunks.map(({ length }) => length), [0, MIN_FREED_SIZE - 1]);
  });

  const rows: [name: string, chunk: Uint8Array][] = [
    ["if the chunk is only its beginning", new Uint8Array(new ArrayBuffer(128 * KIB), 0, 64 * KIB)],
    ["if the chunk is only its end", new Uint8Array(new ArrayBuffer(128 * KIB), 64 * KIB)],
    ["if it is shared", new Uint8Array(new SharedArrayBuffer(64 * KIB))],
  ];
  for (const [name, chunk] of rows) {
    test(`is not freed ${name}`, () => {
      freeChunk(chunk);
      assertEquals(chunk.length, 64 * KIB);
    });
  }
});
