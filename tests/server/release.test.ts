/**
 * A chunk is given back to its transport as soon as no part of it is used, and not before. Parts that are in
 * use do not change.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Application, WebSocketHandler } from "../../mod.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { memoryPair, type MemoryTransport } from "../../src/transport/memory.ts";
import { binary, frame, ping, text } from "../protocol/hybi_frames.ts";
import { makeOpening, settle } from "../support/memory_client.ts";

type Received = string | Uint8Array;

/** Keeps its messages, and is busy while `busy` is pending. */
class Keeper extends WebSocketHandler<Keeper[]> {
  readonly received: Received[] = [];
  busy: Promise<void> | undefined;
  inMessage: () => void = () => {};
  override open(): void {
    this.options.push(this);
  }
  onMessage(message: Received): Promise<void> | undefined {
    this.received.push(message);
    this.inMessage();
    return this.busy;
  }
}

interface Peer {
  readonly transport: MemoryTransport;
  readonly handler: Keeper;
  /** What was given back. */
  readonly released: readonly Uint8Array[];
  /** Feeds a chunk. Returns whether it was given back. Then it is overwritten. */
  feed(chunk: Uint8Array): boolean;
}

function open(version: WebSocketVersion, transfersChunks = true): Peer {
  const [transport] = memoryPair({ transfersChunks });
  const released: Uint8Array[] = [];
  transport.write = () => {};
  transport.release = (chunk) => {
    released.push(chunk);
    chunk.fill(0xee);
  };
  const handlers: Keeper[] = [];
  new Application([["/", Keeper, handlers]], { versions: [version] }).accept(transport);
  const { head, key3 } = makeOpening(version);
  transport.events.data(new TextEncoder().encode(head));
  if (key3.length > 0) transport.events.data(key3);
  const [handler] = handlers;
  if (handler === undefined) throw new Error("The handshake was refused");
  return {
    transport,
    handler,
    released,
    feed(chunk) {
      released.length = 0;
      transport.events.data(chunk);
      return released.length === 1 && released[0] === chunk;
    },
  };
}

/** Bytes that differ from those that overwrite a chunk. */
function bytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => at % 200);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("a chunk is given back", () => {
  const rows: [name: string, chunk: Uint8Array, received: Received[]][] = [
    ["with texts", joined(text("a"), text("bc"), text("\u00e9")), ["a", "bc", "\u00e9"]],
    ["with a long text", text("x".repeat(5000)), ["x".repeat(5000)]],
    ["with a ping", ping("there?"), []],
    ["with a binary message that is a small part of it", joined(binary(bytes(9)), text("x")), [
      bytes(9),
      "x",
    ]],
    ["with a part of a message", binary(bytes(3000)).subarray(0, 2000).slice(), []],
    ["with a part of a header", binary(bytes(3000)).subarray(0, 3).slice(), []],
    ["with a fragment", frame({ opcode: 2, fin: false, payload: bytes(500) }), []],
  ];
  for (const [name, chunk, received] of rows) {
    test(name, () => {
      const { handler, feed } = open("rfc6455");
      assertEquals(feed(chunk), true);
      assertEquals(handler.received, received);
    });
  }

  test("of a message in many pieces, each", () => {
    const { handler, feed } = open("rfc6455");
    const frame = binary(bytes(10_000));
    for (let at = 0; at < frame.length; at += 1000) {
      assertEquals(feed(frame.slice(at, at + 1000)), true);
    }
    assertEquals(handler.received, [bytes(10_000)]);
  });

  test("of draft76", () => {
    const { handler, feed } = open("draft76");
    assertEquals(feed(Uint8Array.of(0x00, 0x61, 0xff, 0x00, 0x62)), true);
    assertEquals(feed(Uint8Array.of(0x63, 0xff)), true);
    assertEquals(handler.received, ["a", "bc"]);
  });
});

describe("a chunk is not given back", () => {
  test("by a handshake, since it has no chunk of messages", () => {
    for (const version of ["rfc6455", "draft76"] as const) {
      assertEquals(open(version).released, [], version);
    }
  });

  test("while a message is a view of it", () => {
    const { handler, feed } = open("rfc6455");
    assertEquals(feed(binary(bytes(3000))), false);
    assertEquals(handler.received, [bytes(3000)]);
    assertEquals(feed(joined(text("x"), binary(bytes(3000)))), false);
    assertEquals(handler.received, [bytes(3000), "x", bytes(3000)]);
  });

  test("whose bytes wait for a busy handler", async () => {
    const { handler, feed } = open("rfc6455");
    const { promise, resolve } = Promise.withResolvers<void>();
    handler.busy = promise;
    assertEquals(feed(text("first")), true);
    // Messages are decoded up to `maxQueuedSize`. Later ones wait as bytes.
    const sent = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(60_000, "x"));
    const back = sent.filter((message) => feed(text(message))).length;
    assertEquals(back > 0 && back < sent.length, true);
    handler.busy = undefined;
    resolve();
    await settle();
    assertEquals(handler.received, ["first", ...sent]);
  });

  test("although the handler feeds another connection one that does", () => {
    const outer = open("rfc6455");
    const inner = open("rfc6455");
    outer.handler.inMessage = () => assertEquals(inner.feed(text("x")), true);
    assertEquals(outer.feed(binary(bytes(3000))), false);
    assertEquals(outer.handler.received, [bytes(3000)]);
  });

  test("if it is not owned", () => {
    const { handler, feed } = open("rfc6455", false);
    assertEquals(feed(text("x")), false);
    assertEquals(handler.received, ["x"]);
  });

  test("although the handler feeds another connection whose transport throws", () => {
    const outer = open("rfc6455");
    const inner = open("rfc6455");
    inner.handler.busy = new Promise(() => {});
    inner.transport.pause = () => {
      throw new Error("broken");
    };
    outer.handler.inMessage = () => {
      assertThrows(
        () => {
          for (;;) inner.feed(text("x".repeat(60_000)));
        },
        Error,
        "broken",
      );
    };
    assertEquals(outer.feed(binary(bytes(3000))), false);
    assertEquals(outer.handler.received, [bytes(3000)]);
  });
});
