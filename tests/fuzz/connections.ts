/**
 * Whole connections in memory. Whatever a client sends, in whatever pieces, and however it ends, nothing
 * throws, nothing hangs, and each `open()` has its `onClose()`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { Rig, settle } from "../support/rig.ts";
import { cut, type Dice, join, mutate, randomBytes } from "./mutate.ts";
import { hixieTraffic, hybiTraffic } from "./protocols.ts";

const counts = { opened: 0, closed: 0 };

/** Echoes at once, later, or not at all, and sometimes throws. */
class Fickle extends WebSocketHandler<Dice> {
  override checkOrigin(): boolean {
    return this.options(20) !== 0;
  }
  override prepare(): void | Promise<void> {
    if (this.options(4) === 0) return Promise.resolve();
  }
  override open(): void | Promise<void> {
    counts.opened++;
    if (this.options(4) === 0) return Promise.resolve();
  }
  async #later(message: string | Uint8Array): Promise<void> {
    await Promise.resolve();
    await this.writeMessage(message);
  }
  override onMessage(message: string | Uint8Array): void | Promise<void> {
    const mood = this.options(30);
    if (mood === 0) throw new Error("a handler's fault");
    if (mood === 1) this.close(4000, "enough");
    if (mood === 2) this.abort();
    if (mood < 10) return this.#later(message);
    this.writeMessage(message);
  }
  override onClose(): void {
    counts.closed++;
  }
  override logException(): void {}
}

const HEADS: Record<"hybi" | "draft76" | "draft75" | "plain", string> = {
  hybi: "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
  draft76: "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
    "Origin: http://a\r\nSec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n" +
    "Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U",
  draft75: "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nHost: a\r\n" +
    "Origin: http://a\r\n\r\n",
  plain: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
};

function traffic(next: Dice): Uint8Array {
  const kinds = ["hybi", "hybi", "draft76", "draft75", "plain"] as const;
  const kind = kinds[next(kinds.length)] ?? "hybi";
  const head = latin1Bytes(HEADS[kind]);
  const frames = kind === "hybi" ? hybiTraffic(next, next(2) === 0) : hixieTraffic(next);
  const whole = join([head, frames]);
  const mood = next(6);
  if (mood === 0) return randomBytes(next, 300);
  if (mood === 1) return join([mutate(next, head), frames]);
  return mood === 2 ? whole : join([head, mutate(next, frames)]);
}

/** One connection, from its first byte until it is closed at both ends. */
export async function fuzzConnection(next: Dice): Promise<void> {
  counts.opened = counts.closed = 0;
  const versions: WebSocketVersion[] = ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"];
  const rig = new Rig([["/", Fickle, next]], {
    versions,
    maxMessageSize: 66_000,
    maxBodySize: 1000,
    fetch: next(2) === 0 ? (request) => new Response(request.body) : undefined,
    compression: next(2) === 0 ? { threshold: 10, contextTakeover: next(2) === 0 } : undefined,
  });
  const [transport, far] = memoryPair({ split: 1 + next(5000), capacity: 1 + next(100_000) });
  let gone = false;
  far.events = {
    data: () => {},
    drain: () => {},
    end: () => far.end(),
    closed: () => gone = true,
  };
  rig.app.accept(transport);
  for (const piece of cut(next, traffic(next)).slice(0, 400)) {
    far.write(piece, true);
    if (next(4) === 0) await settle();
  }
  const departure = next(4);
  if (departure === 0) far.destroy();
  else if (departure === 1) far.end();
  await settle();
  // After a minute, every default timeout has passed: no pong and no close frame has arrived.
  for (let seconds = 0; seconds < 60 && !gone; seconds += 5) await rig.clock.advance(5000);
  // A silent client of draft75 or draft76 may stay open. A closed one may not.
  if (departure > 1) far.destroy();
  await rig.clock.advance(10_000);
  assert(gone, "the connection is still there");
  assertEquals(counts.closed, counts.opened);
}
