import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { MessageMemory } from "../../src/protocol/message_memory.ts";
import { text as conversions, textFunctions } from "../../src/protocol/text_codec.ts";
import { bytes } from "./hixie_cases.ts";
import { chopped, everySplit } from "./hixie_receive.ts";
import { HYBI_CASES } from "./hybi_cases.ts";
import { begin, close, frame, type HybiCase, type HybiEvent, ping, text } from "./hybi_frames.ts";
import { inTwoFrames } from "./hybi_closing_cases.ts";
import { client, receiveAll, recorder, server } from "./hybi_receive.ts";
import { UTF8_CASES } from "./utf8_cases.ts";
import { checkRows } from "../support/rows.ts";

/** Splits bytes in two everywhere, in three if there are few bytes, and in pieces of some sizes. */
function* splits(input: Uint8Array): Generator<Iterable<Uint8Array>> {
  if (input.length <= 24) yield* everySplit(input);
  else if (input.length <= 300) {
    for (let at = 0; at <= input.length; at++) yield [input.subarray(0, at), input.subarray(at)];
  }
  for (const size of [1, 7, 64, 1000, 1024, 5000]) yield cut(input, size);
}

const LONG = 2000;
/** More than the headers before the payload of a long input. */
const EDGE = 32;

/**
 * Cuts bytes into pieces of one size; inside a long input, into pieces of 61 bytes at least. Inside a
 * payload, only the position modulo 4 matters for unmasking, and every position modulo 4 ends a piece.
 * `hybi_memory.test.ts` has a long payload in pieces of 1 byte.
 */
function* cut(input: Uint8Array, size: number): Generator<Uint8Array> {
  const [from, to] = input.length > LONG ? [EDGE, input.length - EDGE] : [input.length, Infinity];
  yield* chopped(input.subarray(0, from), size);
  yield* chopped(input.subarray(from, to), Math.max(size, 61));
  yield* chopped(input.subarray(to), size);
}

function title({ name, section }: HybiCase): string {
  return `§${section} ${name}`;
}

const AFTER_ERROR = [text("after the error")];

function check(
  one: HybiCase,
  pieces: Iterable<Uint8Array>,
  owned: boolean,
  memory?: MessageMemory,
): void {
  const hybi = server(one);
  const { events, error } = receiveAll(hybi, pieces, owned, memory);
  assertEquals(events, one.events);
  assertEquals(error?.code, one.error?.code, error?.message);
  if (error === undefined) return;
  assertEquals(receiveAll(hybi, AFTER_ERROR).events, []);
}

test("receives, whole, byte by byte and split everywhere", () => {
  checkRows(HYBI_CASES, title, (one) => {
    for (const pieces of splits(one.input)) check(one, pieces, false);
    for (const size of [1, 3, one.input.length + 1]) check(one, cut(one.input, size), true);
  });
});

test("receives the same in memory that messages borrow", () => {
  for (const memory of [new MessageMemory(false), new MessageMemory(true)]) {
    checkRows(HYBI_CASES, title, (one) => {
      for (const size of [7, 1000, one.input.length + 1]) {
        check(one, cut(one.input, size), size !== 1000, memory);
      }
    });
  }
});

describe("fails at the first byte that breaks a rule", () => {
  test("and not before", () => {
    const failing = HYBI_CASES.filter(({ error }) => error !== undefined);
    checkRows(failing, title, (one) => {
      const { error, after } = receiveAll(server(one), chopped(one.input, 1));
      assertEquals([error?.code, after], [one.error?.code, one.error?.after]);
    });
  });

  test("with a message that names the rule and fits into a close frame", () => {
    for (const one of HYBI_CASES) {
      const { error } = receiveAll(server(one), [one.input]);
      if (error === undefined) continue;
      assertMatch(error.message, /^.* \(RFC 6455 §\d[.\d]*\)$/, title(one));
      assertLessOrEqual(bytes(error.message).length, 123, title(one));
    }
  });

  test("with the section of the row", () => {
    for (const one of HYBI_CASES) {
      const { error } = receiveAll(server(one), [one.input]);
      if (error !== undefined) {
        assert(error.message.includes(`§${one.section})`), `${title(one)}: ${error.message}`);
      }
    }
  });
});

describe("a text in two frames, cut at each byte", () => {
  test("is received or refused like a text in one frame", () => {
    for (const one of UTF8_CASES) {
      for (let at = 0; at <= one.payload.length; at++) {
        const row = inTwoFrames(one, at);
        for (const owned of [false, true]) check(row, [row.input], owned);
        const { error, after } = receiveAll(server(row), chopped(row.input, 1));
        assertEquals([error?.code, error && after], [row.error?.code, row.error?.after], row.name);
      }
    }
  });
});

describe("a sink that says stop", () => {
  for (const owned of [false, true]) {
    test(`stops receiving after each event, and the other bytes give the other events, ${owned ? "" : "not "}owned`, () => {
      for (const one of HYBI_CASES) {
        if (one.error !== undefined) continue;
        const hybi = server(one);
        const events: HybiEvent[] = [];
        const sink = recorder(events, () => false);
        let rest = one.input.slice();
        while (rest.length > 0) {
          const before = events.length;
          rest = rest.subarray(hybi.receive(rest, owned, sink));
          const news = events.length - before;
          assert(news === 1 || news === 0 && rest.length === 0, title(one));
        }
        assertEquals(events, one.events, title(one));
      }
    });
  }

  test("after any number of events, finds the following bytes unchanged", () => {
    const messages = Array.from({ length: 70 }, (_, i) => i % 9 === 8 ? `é${i}` : `text ${i}`);
    const input = bytes(...messages.map(text), ping("x"), ...messages.map(text));
    for (let every = 1; every < 80; every++) {
      const events: HybiEvent[] = [];
      const sink = recorder(events, () => events.length % every !== 0);
      const hybi = server();
      for (let rest = input.slice(); rest.length > 0;) {
        const taken = hybi.receive(rest, false, sink);
        const at = input.length - rest.length + taken;
        assertEquals(rest.subarray(taken), input.subarray(at), `every ${every}`);
        rest = rest.subarray(taken);
      }
      const texts = messages.map((message) => ["text", message] as const);
      assertEquals(events, [...texts, ["ping", bytes("x")], ...texts]);
    }
  });
});

describe("chunks of a subclass", () => {
  test("that override slice give plain messages", () => {
    for (const one of HYBI_CASES) {
      for (const owned of [false, true]) {
        const events: HybiEvent[] = [];
        try {
          server(one).receive(Buffer.from(one.input), owned, recorder(events));
        } catch {
          // Other tests run the rows that fail.
        }
        assertEquals(events, one.events, title(one));
        for (const [kind, message] of events) {
          if (kind === "binary") assertEquals(Object.getPrototypeOf(message), Uint8Array.prototype);
        }
      }
    }
  });
});

describe("without node:buffer", () => {
  test("the Web's functions do the same", () => {
    const own = { ...conversions };
    Object.assign(conversions, textFunctions(undefined));
    try {
      for (const one of HYBI_CASES) {
        for (const size of [one.input.length + 1, 1, 7]) {
          check(one, cut(one.input, size), false);
        }
      }
    } finally {
      Object.assign(conversions, own);
    }
  });
});

describe("a client", () => {
  test("receives unmasked frames, and refuses masked ones", () => {
    for (const one of HYBI_CASES) {
      const unmasked = unmask(one.input);
      if (one.section === "5.1" || unmasked === undefined) continue;
      for (const pieces of [[unmasked], cut(unmasked, 1), cut(unmasked, 7)]) {
        const { events, error } = receiveAll(client(one), pieces);
        assertEquals(events, one.events, title(one));
        assertEquals(error?.code, one.error?.code, title(one));
      }
    }
    const { error, after } = receiveAll(client(), chopped(text("a"), 1));
    assertEquals(error?.message, "frames from a server must not be masked (RFC 6455 §5.1)");
    assertEquals([error?.code, after], [1002, 2]);
  });
});

/** The same frames unmasked, up to the first frame that is incomplete or has a wrong length. */
function unmask(input: Uint8Array): Uint8Array | undefined {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < input.length;) {
    const [first = 0, second = 0] = input.subarray(at);
    const code = second & 0x7f;
    if ((second & 0x80) === 0) return undefined;
    const lengthSize = code < 126 ? 0 : code === 126 ? 2 : 8;
    const begin = at + 2 + lengthSize + 4;
    const length = lengthSize === 0
      ? code
      : input.subarray(at + 2, begin - 4).reduce((sum, byte) => sum * 256 + byte, 0);
    if (begin + length > input.length) return undefined;
    const key = input.subarray(begin - 4, begin);
    const payload = input.slice(begin, begin + length).map((byte, i) =>
      byte ^ (key[i % 4] as number)
    );
    const fin = (first & 0x80) !== 0;
    frames.push(frame({ opcode: first & 0x7f, fin, payload, lengthSize, maskingKey: null }));
    at = begin + length;
  }
  return bytes(...frames);
}

describe("after the end", () => {
  test("a close frame ends a fragmented message without an event", () => {
    const hybi = server();
    receiveAll(hybi, [begin("a")]);
    assertEquals(receiveAll(hybi, [close(1000)]).events, [["close", 1000, ""]]);
    assertEquals(receiveAll(hybi, [frame({ opcode: 0, payload: "b" })]).events, []);
  });

  test("bytes are discarded, also after an error", () => {
    const hybi = server();
    assertEquals(receiveAll(hybi, [Uint8Array.of(0xff)]).error?.code, 1002);
    assertEquals(hybi.receive(text("a"), true, recorder([])), text("a").length);
  });

  test("a sink that throws is not called again", () => {
    const hybi = server();
    const events: HybiEvent[] = [];
    const failing = recorder([], () => {
      throw new Error("of the sink");
    });
    try {
      hybi.receive(bytes(text("a"), text("b")), true, failing);
    } catch (error) {
      assertEquals((error as Error).message, "of the sink");
    }
    hybi.receive(text("c"), true, recorder(events));
    assertEquals(events, []);
  });
});
