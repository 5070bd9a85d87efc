/**
 * Feeds bytes to {@linkcode Hixie} in pieces and records the events.
 *
 * @module
 */
import { ProtocolError } from "../../src/errors.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import type { Sink } from "../../src/protocol/protocol.ts";
import type { HixieEvent, HixieVersion } from "./hixie_cases.ts";

/** Makes a connection. Default limit: one that tests do not reach. */
export function hixie(version: HixieVersion = "draft76", maxMessageSize = 1 << 26): Hixie {
  return new Hixie({ maxMessageSize, maxFragments: 1 }, { version });
}

/** Makes a sink that records events. After each event, `goOn` decides whether to continue. */
export function recorder(events: HixieEvent[], goOn: () => boolean = () => true): Sink {
  const none = (): never => {
    throw new Error("This format has no such event");
  };
  return {
    text(message) {
      events.push(["text", message]);
      return goOn();
    },
    close(code, reason) {
      if (code !== undefined || reason !== "") throw new Error("The close frame is empty");
      events.push(["close"]);
      return goOn();
    },
    binary: none,
    ping: none,
    pong: none,
  };
}

/**
 * Feeds the pieces one after the other. Each piece has its own memory, which is overwritten afterwards:
 * a message must not depend on a chunk that is no longer valid.
 */
export function receiveAll(protocol: Hixie, pieces: Iterable<Uint8Array>): HixieEvent[] {
  const events: HixieEvent[] = [];
  const sink = recorder(events);
  try {
    for (const piece of pieces) {
      const chunk = piece.slice();
      const taken = protocol.receive(chunk, false, sink);
      if (taken !== chunk.length) throw new Error(`${taken} of ${chunk.length} bytes were taken`);
      chunk.fill(0x2a);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    events.push(["error", error.code]);
  }
  return events;
}

/** Cuts bytes into pieces of one size. */
export function* chopped(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Splits bytes: whole, byte by byte, in two at every offset, and in three at every two offsets. */
export function* everySplit(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  yield [...chopped(bytes, 1)];
  for (let first = 0; first <= bytes.length; first++) {
    yield [bytes.subarray(0, first), bytes.subarray(first)];
    // Splitting a long row in three would take long and test nothing new.
    if (bytes.length > 48) continue;
    for (let second = first + 1; second < bytes.length; second++) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}

/** Makes a generator of numbers from 0 to below `limit`. Every run gets the same numbers. */
export function dice(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 8) % limit;
  };
}
