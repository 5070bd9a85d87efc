/**
 * Bytes that are kept must be copied, even if they are in a `Buffer` of Node: its `slice` makes a view.
 * Handlers write buffers, and the sockets of Node deliver them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { RoundTrip } from "../src/connection/round_trip.ts";
import { Traffic } from "../src/connection/traffic.ts";
import { Writer } from "../src/connection/writer.ts";
import { PieceDecoder } from "../src/protocol/piece_decoder.ts";
import { Application } from "../src/server/application.ts";
import { EarlyMessages } from "../src/server/early_messages.ts";
import { WebSocketHandler } from "../src/server/handler.ts";
import { FakeClock } from "../src/testing/fake_clock.ts";
import { connect } from "../src/testing/memory_connect.ts";
import { timersOf } from "../src/timing/clock_timers.ts";
import { ByteQueue } from "../src/transport/byte_queue.ts";
import { Http2Transport } from "../src/transport/http2_stream.ts";
import type { Http2Stream } from "../src/transport/http2_types.ts";
import { WriteSlab } from "../src/transport/node_slab.ts";
import type { NodeSocket } from "../src/transport/node_types.ts";
import { RecordedTransport } from "./connection/recorded_transport.ts";
import { protocolOf, settle } from "./connection/subject.ts";

/** Gives a buffer to a part of the code, and returns a function that reads what that part has kept. */
type Keep = (buffer: Buffer) => () => Uint8Array | undefined;

/** A stream or a socket that keeps a reference to what is written. */
function keeping(): { readonly written: Uint8Array[] } & Http2Stream & NodeSocket {
  const written: Uint8Array[] = [];
  const stub = {
    written,
    writableLength: 1,
    on() {},
    write: (bytes: Uint8Array) => written.push(bytes),
  };
  return stub as unknown as ReturnType<typeof keeping>;
}

function pongOf(buffer: Buffer): () => Uint8Array | undefined {
  const transport = new RecordedTransport();
  const environment = {
    limits: { highWaterMark: 1, maxBufferedAmount: 1 },
    traffic: new Traffic(),
    turns: timersOf(new FakeClock()).turns,
  };
  const events = { overflow() {}, congested() {}, drained() {} };
  const writer = new Writer(transport, environment, events);
  writer.protocol = protocolOf("rfc6455", "server");
  writer.congested = true;
  writer.writePong(buffer);
  return () => {
    writer.drain();
    writer.flush();
    return transport.written[0]?.subarray(-buffer.length);
  };
}

const ROWS: readonly [name: string, size: number, keep: Keep][] = [
  ["a queue of bytes", 5000, (buffer) => {
    const queue = new ByteQueue();
    queue.push(buffer, false);
    return () => queue.shift();
  }],
  ["a large write to a socket of Node", 40_000, (buffer) => {
    const socket = keeping();
    new WriteSlab().write(socket, buffer, buffer.length);
    return () => socket.written[0];
  }],
  ["a write to a stream of HTTP/2", 100, (buffer) => {
    const stream = keeping();
    new Http2Transport(stream).write(buffer, false);
    return () => stream.written[0];
  }],
  ["a message during the handshake", 100, (buffer) => {
    const early = new EarlyMessages();
    early.add(buffer, { highWaterMark: 1000, maxBufferedAmount: 1000 });
    let sent: unknown;
    return () => {
      early.send(
        { writeMessage: (message: unknown) => void (sent = message) } as unknown as Writer,
      );
      return sent as Uint8Array;
    };
  }],
  ["the payload of a ping that is not answered yet", 100, (buffer) => {
    const roundTrip = new RoundTrip();
    const sent = new Uint8Array(buffer);
    roundTrip.sent(buffer, 0);
    return () => roundTrip.received(sent, 1) ? sent : undefined;
  }],
  ["a pong that waits", 100, pongOf],
];

describe("bytes in a Buffer are copied", () => {
  for (const [name, size, keep] of ROWS) {
    test(name, () => {
      const buffer = Buffer.alloc(size, 7);
      const read = keep(buffer);
      buffer.fill(0);
      const kept = read();
      assert(kept !== undefined);
      assertEquals(new Uint8Array(kept), new Uint8Array(size).fill(7));
    });
  }

  test("the start of a character", () => {
    const decoder = new PieceDecoder();
    const [first, rest] = [Buffer.of(0xe6, 0x97), Buffer.of(0xa5)];
    assertEquals(decoder.decode(first, 0, first.length), "");
    first.fill(0);
    assertEquals(decoder.decode(rest, 0, rest.length), "日");
  });

  test("a published message that waits for a slow subscriber", async () => {
    class Member extends WebSocketHandler {
      override open(): void {
        this.subscribe("t", { whenSlow: "latest" });
      }
      onMessage(): void {}
    }
    const app = new Application([["/", Member]], { highWaterMark: 1000 });
    const client = await connect(app, "/", { capacity: 0 });
    client.stall();
    const buffer = Buffer.alloc(2000, 7);
    for (let left = 2; left > 0; left--) app.publish("t", buffer);
    await settle();
    buffer.fill(0);
    client.flow();
    await client.readMessage();
    assertEquals(await client.readMessage(), new Uint8Array(2000).fill(7));
    client.close();
  });
});
