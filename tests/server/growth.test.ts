/**
 * Counts the steps of work whose size a client or an application chooses: ten times the work may take
 * ten times the steps, and what does not depend on a number may not grow with it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Inbox } from "../../src/connection/inbox.ts";
import { ByteQueue } from "../../src/transport/byte_queue.ts";
import { LIMITS, readPieces } from "../handshake/support.ts";
import { begin, continuation, ping, text } from "../protocol/hybi_frames.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { type Connected, connected } from "../support/connected.ts";
import { countSteps } from "../support/steps.ts";

/** Work of some size: what comes before it is not counted. */
interface Growth {
  readonly name: string;
  /** The sizes to compare. */
  readonly sizes: readonly [small: number, large: number];
  /** Whether the steps grow with the size, or do not depend on it. */
  readonly grows: "in proportion" | "not at all";
  /** Prepares the work, and returns it. */
  readonly prepare: (size: number) => () => void;
}

const never = new Promise<void>(() => {});

function open(count = 1): Connected[] {
  return connected("rfc6455", count, {
    maxQueuedSize: 2 ** 30,
    history: { "kept/*": { size: 100_000 } },
  });
}

/** Opens a connection that is subscribed to some topics. */
function withTopics(count: number, prefix = ""): Connected {
  const [one] = open() as [Connected];
  for (let i = 0; i < count; i++) void one.handler.subscribe(`${prefix}${i}`);
  return one;
}

/** Opens connections that are subscribed to one topic. */
function subscribers(count: number): Connected[] {
  const all = open(count);
  for (const { handler } of all) void handler.subscribe("news");
  return all;
}

/** Delivers all chunks. */
function deliver(one: Connected, chunks: readonly Uint8Array[]): () => void {
  return () => {
    for (const chunk of chunks) one.receive(chunk);
  };
}

function repeat(count: number, make: (index: number) => Uint8Array): Uint8Array[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function headOf(fields: number): Uint8Array {
  const lines = Array.from({ length: fields }, (_, i) => `field-${i}: value ${i}\r\n`);
  return latin1Bytes(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join("")}\r\n`);
}

/** Reads a head in chunks of some bytes. */
function readHead(fields: number, chunk: number): () => void {
  const head = headOf(fields);
  const pieces = repeat(
    Math.ceil(head.length / chunk),
    (i) => head.slice(i * chunk, (i + 1) * chunk),
  );
  const limits = { ...LIMITS, maxHeaderCount: 2 ** 20, maxHeaderSize: 2 ** 30 };
  return () => {
    const read = readPieces(pieces, limits);
    assert(read !== "incomplete" && "head" in read);
    assertEquals(read.head.get(`field-${fields - 1}`), `value ${fields - 1}`);
  };
}

const rows: readonly Growth[] = [
  {
    name: "publishing to one of many topics",
    sizes: [10, 3000],
    grows: "not at all",
    prepare: (size) => {
      const { handler } = withTopics(size);
      return () => void handler.application.publish("5", "Hello");
    },
  },
  {
    name: "subscribing to one more topic, and leaving it",
    sizes: [10, 3000],
    grows: "not at all",
    prepare: (size) => {
      const { handler } = withTopics(size);
      return () => {
        void handler.subscribe("one more");
        handler.unsubscribe("one more");
      };
    },
  },
  {
    name: "closing a connection with topics",
    sizes: [100, 1000],
    grows: "in proportion",
    prepare: (size) => {
      const one = withTopics(size);
      return () => one.handler.abort();
    },
  },
  {
    name: "publishing to subscribers",
    sizes: [10, 100],
    grows: "in proportion",
    prepare: (size) => {
      const [one] = subscribers(size) as [Connected];
      return () => void one.handler.application.publish("news", "Hello");
    },
  },
  {
    name: "leaving a topic with many subscribers",
    sizes: [10, 100],
    grows: "not at all",
    prepare: (size) => {
      const [one] = subscribers(size) as [Connected];
      return () => one.handler.unsubscribe("news");
    },
  },
  {
    name: "opening and closing one more connection",
    sizes: [10, 100],
    grows: "not at all",
    prepare: (size) => {
      const [one] = subscribers(size) as [Connected];
      return () => one.another().close();
    },
  },
  {
    name: "publishing to a topic with a history",
    sizes: [200, 2000],
    grows: "in proportion",
    prepare: (size) => {
      const { handler } = withTopics(1, "kept/");
      return () => {
        for (let i = 0; i < size; i++) void handler.application.publish("kept/0", `${i}`);
      };
    },
  },
  {
    name: "receiving messages in one chunk",
    sizes: [100, 1000],
    grows: "in proportion",
    prepare: (size) => {
      const [one] = open() as [Connected];
      const frame = text("Hello");
      const chunk = new Uint8Array(size * frame.length);
      for (let i = 0; i < size; i++) chunk.set(frame, i * frame.length);
      return () => one.receive(chunk);
    },
  },
  {
    name: "queueing messages for a busy handler, and dropping them",
    sizes: [100, 1000],
    grows: "in proportion",
    prepare: (size) => {
      const [one] = open() as [Connected];
      one.handler.onMessage = () => never;
      const all = deliver(one, repeat(size, () => text("Hello")));
      return () => {
        all();
        one.close();
      };
    },
  },
  {
    name: "taking messages that have waited for a busy handler",
    sizes: [5000, 50_000],
    grows: "in proportion",
    prepare: (size) => {
      const inbox = new Inbox();
      for (let i = 0; i < size; i++) inbox.push("Hello");
      return () => {
        while (inbox.shift() !== undefined);
      };
    },
  },
  {
    name: "sending output that has waited for a slow client",
    sizes: [1000, 10_000],
    grows: "in proportion",
    prepare: (size) => {
      const queue = new ByteQueue();
      const piece = new Uint8Array(5000);
      return () => {
        for (let i = 0; i < size; i++) queue.push(piece, true);
        while (queue.shift() !== undefined);
      };
    },
  },
  {
    name: "receiving pings",
    sizes: [100, 1000],
    grows: "in proportion",
    prepare: (size) => {
      const [one] = open() as [Connected];
      return deliver(one, repeat(size, () => ping("?")));
    },
  },
  {
    name: "receiving a message in fragments",
    sizes: [400, 4000],
    grows: "in proportion",
    prepare: (size) => {
      const [one] = open() as [Connected];
      const middle = repeat(size, () => continuation("x", false));
      return deliver(one, [begin("x"), ...middle, continuation("x", true)]);
    },
  },
  {
    name: "writing messages in one turn",
    sizes: [100, 1000],
    grows: "in proportion",
    prepare: (size) => {
      const [one] = open() as [Connected];
      return () => {
        for (let i = 0; i < size; i++) void one.handler.writeMessage("Hello");
      };
    },
  },
  ...[64, Infinity].map((chunk): Growth => ({
    name: `reading header fields, in chunks of ${chunk} bytes`,
    sizes: [100, 1000],
    grows: "in proportion",
    prepare: (size) => readHead(size, Math.min(chunk, 2 ** 20)),
  })),
];

/**
 * How much more each unit of the larger work may take: memory that is doubled when it is full is copied at
 * some sizes only. Work that grows with the square takes ten times as much.
 */
const TOLERANCE = 3;
/** What a row may take beside its work: the end of a chunk, a larger buffer. In steps. */
const FIXED = 100;

describe("the steps of", () => {
  for (const { name, sizes, grows, prepare } of rows) {
    test(`${name} grow ${grows}`, () => {
      const [small, large] = sizes.map((size) => {
        // The first time makes what is used again.
        prepare(size)();
        return countSteps(prepare(size));
      }) as [number, number];
      const factor = grows === "in proportion" ? sizes[1] / sizes[0] : 1;
      const most = TOLERANCE * factor * small + FIXED;
      assert(large <= most, `${small} steps of ${sizes[0]}, ${large} of ${sizes[1]}`);
    });
  }

  test("work that grows too fast are seen", () => {
    const work = (size: number) => () => {
      const queue = Array.from({ length: size }, () => 1);
      while (queue.length > 0) queue.shift();
    };
    assert(countSteps(work(1000)) > 50 * countSteps(work(100)));
  });
});
