/**
 * Connections that share module state (the memory for masking and for long texts, the streams of zlib)
 * receive and write inside each other's callbacks.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { DeflateParameters } from "../../src/protocol/deflate.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { deflate, deflated, WITH_CONTEXT } from "./deflate_cases.ts";
import { bytes, hex, textFrame } from "./hixie_cases.ts";
import { chopped } from "./hixie_receive.ts";
import {
  begin,
  binary,
  continuation,
  frame,
  type HybiEvent,
  pattern,
  ping,
  pong,
  text,
} from "./hybi_frames.ts";
import { client, LIMITS, recorder, server } from "./hybi_receive.ts";

/** A connection: the events it receives, and the peer that reads its output. */
interface Connection {
  readonly name: string;
  readonly make: () => Protocol;
  readonly makePeer: () => Protocol;
  readonly pieces: readonly Uint8Array[];
}

const WITHOUT_CONTEXT: DeflateParameters = {
  ...WITH_CONTEXT,
  sendsWithoutContext: true,
  receivesWithoutContext: true,
};
/** "Hello" in a final block (BFINAL set). */
const LAST_HELLO = hex("F3 48 CD C9 C9 07 00 00");

const SHORT_TEXTS = Array.from(
  { length: 10 },
  (_, i) => `${i}`.padEnd(i * 8, i % 7 === 6 ? "é" : "e"),
);
const LONG_TEXTS = ["a".repeat(100_000), "é".repeat(40_000), "b".repeat(5000), "c".repeat(100)];

/** Both ends of a compressed connection. */
function compressed(deflate: DeflateParameters): Pick<Connection, "make" | "makePeer"> {
  return {
    make: () => new Hybi(LIMITS, { role: "server", deflate }),
    makePeer: () => new Hybi(LIMITS, { role: "client", deflate }),
  };
}

function hixie(): Hixie {
  return new Hixie(LIMITS, { version: "draft76" });
}

const COMPRESSED_PIECES = [
  deflated(deflate(pattern(300)), 2),
  ...["first", "é".repeat(50_000), "third"].map((message) => deflated(deflate(message))),
  deflated(LAST_HELLO),
  deflated(deflate("x".repeat(100))),
  deflated(bytes(LAST_HELLO.subarray(0, 7), LAST_HELLO), 2),
];

const CONNECTIONS: readonly Connection[] = [
  {
    name: "a server with short texts",
    make: server,
    makePeer: client,
    pieces: [bytes(...SHORT_TEXTS.map((message) => text(message)))],
  },
  {
    name: "a server with long texts in pieces",
    make: server,
    makePeer: client,
    pieces: [...chopped(bytes(...LONG_TEXTS.map((message) => text(message))), 50_000)],
  },
  {
    name: "a server with binary messages and control frames",
    make: server,
    makePeer: client,
    pieces: [
      ...chopped(
        bytes(binary(pattern(5000)), ping("1"), binary(pattern(70_000)), pong("2"), binary("3")),
        40_000,
      ),
    ],
  },
  {
    name: "a server with control frames inside long texts",
    make: server,
    makePeer: client,
    pieces: [
      begin("d".repeat(80_000)),
      ping("inside"),
      continuation("e".repeat(80_000), false),
      bytes(pong("inside"), continuation("f".repeat(10), true)),
    ],
  },
  {
    name: "a client",
    make: client,
    makePeer: server,
    pieces: [
      bytes(
        ...["first", "b".repeat(3000), "é"].map((payload) =>
          frame({ opcode: 1, payload, maskingKey: null })
        ),
      ),
    ],
  },
  {
    name: "draft76 with short and long texts",
    make: hixie,
    makePeer: hixie,
    pieces: [
      ...chopped(bytes(...[...SHORT_TEXTS, ...LONG_TEXTS].map(textFrame)), 70_000),
    ],
  },
  { name: "compression with a window", ...compressed(WITH_CONTEXT), pieces: COMPRESSED_PIECES },
  {
    name: "compression without a window",
    ...compressed(WITHOUT_CONTEXT),
    pieces: COMPRESSED_PIECES,
  },
];

/** The results of a connection's input and of its output. */
interface Result {
  readonly events: readonly HybiEvent[];
  readonly written: readonly HybiEvent[];
}

/** Feeds a connection its input. At each event, the connection writes, calls `nested`, and writes again. */
function run({ make, makePeer, pieces }: Connection, nested: () => void): Result {
  const protocol = make();
  const output = new Output();
  const events: HybiEvent[] = [];
  const copies: HybiEvent[] = [];
  const sink = recorder(events, () => {
    const count = copies.push(structuredClone(events.at(-1) as HybiEvent));
    protocol.writeText(output, `reply ${count}`);
    protocol.writeText(output, `${count}`.repeat(2000));
    nested();
    protocol.writeText(output, `another reply ${count}`);
    return true;
  });
  for (const piece of pieces) {
    const chunk = piece.slice();
    protocol.receive(chunk, false, sink);
    chunk.fill(0x2a);
  }
  assertEquals(events, copies, "an event has changed after it was reported");
  const written: HybiEvent[] = [];
  const peer = makePeer();
  peer.receive(output.take(), true, recorder(written));
  for (const end of [protocol, peer]) end.free?.();
  return { events, written };
}

const nothing = () => {};
const ALONE = new Map(CONNECTIONS.map((each) => [each, run(each, nothing)]));

for (const outer of CONNECTIONS) {
  describe(outer.name, () => {
    for (const inner of CONNECTIONS) {
      test(`may receive ${inner.name} inside each event`, () => {
        const nested = () => {
          let isFirst = true;
          const deeper = () => {
            if (isFirst) assertEquals(run(outer, nothing), ALONE.get(outer));
            isFirst = false;
          };
          assertEquals(run(inner, deeper), ALONE.get(inner));
        };
        assertEquals(run(outer, nested), ALONE.get(outer));
      });
    }
  });
}
