/**
 * Feeds bytes to {@linkcode Hybi} in pieces and records the events.
 *
 * @module
 */
import { ProtocolError } from "../../src/errors.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import type { MessageMemory } from "../../src/protocol/message_memory.ts";
import type { Sink } from "../../src/protocol/protocol.ts";
import type { HybiEvent } from "./hybi_frames.ts";

/** Limits that tests do not reach. */
export const LIMITS = { maxMessageSize: 1 << 26, maxFragments: 1 << 20 };

/** Makes a server's end. Default limits: {@linkcode LIMITS}. */
export function server(limits: Partial<typeof LIMITS> = {}): Hybi {
  return new Hybi({ ...LIMITS, ...limits }, { role: "server" });
}

/** Makes a client's end. Default limits: {@linkcode LIMITS}. */
export function client(limits: Partial<typeof LIMITS> = {}): Hybi {
  return new Hybi({ ...LIMITS, ...limits }, { role: "client" });
}

/**
 * Makes a sink that records events. After each event, `goOn` decides whether to continue. The receiver
 * owns messages, so they are not copied; other payloads are.
 */
export function recorder(events: HybiEvent[], goOn: () => boolean = () => true): Sink {
  const note = (event: HybiEvent): boolean => {
    events.push(event);
    return goOn();
  };
  return {
    text: (message) => note(["text", message]),
    binary: (message) => note(["binary", message]),
    ping: (payload) => note(["ping", payload.slice()]),
    pong: (payload) => note(["pong", payload.slice()]),
    close: (code, reason) => note(["close", code, reason]),
  };
}

/** Makes a sink that records copies of binary messages, and gives back their memory. */
function borrower(events: HybiEvent[], memory: MessageMemory): Sink {
  return {
    ...recorder(events),
    memory,
    binary(message) {
      events.push(["binary", message.slice()]);
      memory.give(message);
      return true;
    },
  };
}

/** What was received. */
export interface Received {
  readonly events: HybiEvent[];
  /** The error that ended the connection. */
  readonly error: ProtocolError | undefined;
  /** How many bytes were fed until the error, or in total. */
  readonly after: number;
}

/**
 * Feeds the pieces one after the other, each in its own memory. Memory that the receiver does not own
 * is overwritten afterwards: a message must not depend on a chunk that is no longer valid.
 *
 * @param memory What binary messages borrow from. Default: they have their own memory.
 */
export function receiveAll(
  hybi: Hybi,
  pieces: Iterable<Uint8Array>,
  owned = false,
  memory?: MessageMemory,
): Received {
  const events: HybiEvent[] = [];
  const sink = memory === undefined ? recorder(events) : borrower(events, memory);
  let after = 0;
  try {
    for (const piece of pieces) {
      const chunk = piece.slice();
      after += chunk.length;
      const taken = hybi.receive(chunk, owned, sink);
      if (taken !== chunk.length) throw new Error(`${taken} of ${chunk.length} bytes were taken`);
      if (!owned) chunk.fill(0x2a);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { events, error, after };
  }
  return { events, error: undefined, after };
}
