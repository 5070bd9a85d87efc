/**
 * Feeds bytes to {@linkcode Hybi} in pieces and writes down what comes of them.
 *
 * @module
 */
import { ProtocolError } from "../../src/errors.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import type { Sink } from "../../src/protocol/protocol.ts";
import type { HybiEvent } from "./hybi_frames.ts";

/** Limits that no test reaches unless it means to. */
export const LIMITS = { maxMessageSize: 1 << 26, maxFragments: 1 << 20 };

/** A server's end, without a limit that matters unless one is given. */
export function server(limits: Partial<typeof LIMITS> = {}): Hybi {
  return new Hybi({ ...LIMITS, ...limits }, { role: "server" });
}

/** A client's end. */
export function client(limits: Partial<typeof LIMITS> = {}): Hybi {
  return new Hybi({ ...LIMITS, ...limits }, { role: "client" });
}

/**
 * A sink that writes down, and says at each event whether to go on. Messages are kept as they come,
 * since they belong to the receiver; other payloads are copied.
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

/** What came of the bytes. */
export interface Received {
  readonly events: HybiEvent[];
  /** What ended it, and after how many bytes of input at most. */
  readonly error: ProtocolError | undefined;
  readonly after: number;
}

/**
 * Feeds the pieces one after another, each in memory of its own. What is not given is overwritten
 * afterwards: a message must not depend on a chunk that is no longer valid.
 */
export function receiveAll(hybi: Hybi, pieces: Iterable<Uint8Array>, given = false): Received {
  const events: HybiEvent[] = [];
  const sink = recorder(events);
  let after = 0;
  try {
    for (const piece of pieces) {
      const chunk = piece.slice();
      after += chunk.length;
      const taken = hybi.receive(chunk, given, sink);
      if (taken !== chunk.length) throw new Error(`${taken} of ${chunk.length} bytes were taken`);
      if (!given) chunk.fill(0x2a);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { events, error, after };
  }
  return { events, error: undefined, after };
}
