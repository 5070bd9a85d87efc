/**
 * A server's sockets on Node read into memory that is used again, as long as Node lets them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Socket } from "node:net";
import { describe, test } from "node:test";
import { listen } from "../../src/transport/listen.ts";
import { ChunkReader, type SocketClass } from "../../src/transport/node_onread.ts";
import { type NodeSocket, NodeTransport } from "../../src/transport/node_socket.ts";
import { runtime } from "../support/runtime.ts";
import { connectPeer } from "./links.ts";
import { Recorder, Watched } from "./recorder.ts";

const onChunk = () => true;

/** A socket that can only be asked what is done with it. */
function fakeSocket(handle?: object): { socket: NodeSocket; listeners: string[] } {
  const listeners: string[] = [];
  const on = (event: string) => listeners.push(event);
  return { socket: { on, _handle: handle } as unknown as NodeSocket, listeners };
}

if (runtime === "node") {
  test("the chunks of a server's sockets are lent", async () => {
    const accepted = new Watched();
    const recorders: Recorder[] = [];
    const listener = listen({ hostname: "127.0.0.1", port: 0 }, (transport) => {
      recorders.push(new Recorder(transport));
      accepted.changed();
    });
    await listener.listening;
    const peer = await connectPeer({ port: listener.address.port }, false);
    await accepted.until(() => recorders.length > 0, "the connection");
    listener.close();
    peer.destroy();
    for (const recorder of recorders) {
      assertEquals(recorder.transport.givesChunks, false);
      recorder.transport.destroy();
      await recorder.until(() => recorder.gone, "closed");
    }
  });
}

describe("the option onread of a socket that exists", () => {
  if (runtime === "node") {
    test("is set as the socket's constructor sets it", () => {
      const reader = new ChunkReader(Socket as unknown as SocketClass, onChunk);
      const buffers: Uint8Array[] = [];
      const { socket } = fakeSocket({
        bytesRead: 0,
        useUserBuffer: (buffer: Uint8Array) => buffers.push(buffer),
      });
      assertEquals(reader.attach(socket), true);
      const keyed = socket as unknown as Record<symbol, unknown>;
      const values = Object.getOwnPropertySymbols(socket).map((key) => keyed[key]);
      assertEquals(buffers.length, 1);
      assertEquals(new Set(values), new Set<unknown>([buffers[0], onChunk]));
    });
  }

  const rows: [name: string, Socket: unknown, handle: object | undefined][] = [
    ["if it has no handle", Socket, undefined],
    ["if its handle reads in another way", Socket, {}],
    ["if its stream has bytes", Socket, { bytesRead: 1, useUserBuffer() {} }],
    ["if sockets have it elsewhere", class {}, { bytesRead: 0, useUserBuffer() {} }],
  ];
  for (const [name, SocketLike, handle] of rows) {
    test(`is not set ${name}, and chunks come as events`, () => {
      const reader = new ChunkReader(SocketLike as SocketClass, onChunk);
      const { socket, listeners } = fakeSocket(handle);
      const transport = new NodeTransport(socket, reader);
      transport.events = { data() {}, drain() {}, end() {}, closed() {} };
      assertEquals(transport.givesChunks, true);
      assertEquals(listeners.includes("data"), true);
      assertEquals(Object.getOwnPropertySymbols(socket).length, 1);
    });
  }
});
