import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { describe, test } from "node:test";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import { PieceDecoder } from "../../src/protocol/piece_decoder.ts";
import { deflate, DEFLATE_CASES, deflated, WITH_CONTEXT } from "./deflate_cases.ts";
import { bytes, hex, hixieCases } from "./hixie_cases.ts";
import { chopped, dice, everySplit, hixie } from "./hixie_receive.ts";
import { HYBI_CASES } from "./hybi_cases.ts";
import {
  begin,
  binary,
  continuation,
  frame,
  type HybiCase,
  pattern,
  ping,
  text,
} from "./hybi_frames.ts";
import { inTwoFrames } from "./hybi_closing_cases.ts";
import { LIMITS, server } from "./hybi_receive.ts";
import { PiecesSink } from "./pieces_sink.ts";
import { checkRows } from "../support/rows.ts";
import { UTF8_CASES } from "./utf8_cases.ts";

const WITHOUT_CONTEXT = { ...WITH_CONTEXT, receivesWithoutContext: true };

/** Long rows are split into a few sizes only, because short rows cover all other splits. */
function* splits(input: Uint8Array): Generator<Iterable<Uint8Array>> {
  if (input.length <= 24) yield* everySplit(input);
  else if (input.length <= 150) {
    for (let at = 0; at <= input.length; at++) yield [input.subarray(0, at), input.subarray(at)];
  }
  for (const size of input.length <= 2000 ? [1, 7] : [1000]) yield chopped(input, size);
  yield [input];
}

function check(one: HybiCase, hybi: Hybi, chunks: Iterable<Uint8Array>, stops: boolean): void {
  const sink = new PiecesSink(stops);
  const { error } = sink.feed(hybi, chunks);
  hybi.free();
  assertEquals(sink.events, one.events);
  assertEquals(error?.code, one.error?.code, error?.message);
}

function titleOf({ section, name }: { section: string; name: string }): string {
  return `§${section} ${name}`;
}

describe("in pieces, whole, byte by byte and split everywhere", () => {
  test("versions 7, 8 and 13", () => {
    checkRows(HYBI_CASES, titleOf, (one) => {
      for (const chunks of splits(one.input)) check(one, server(one), chunks, false);
      for (const size of [1, 5, 1000]) {
        if (size * 2000 > one.input.length) check(one, server(one), chopped(one.input, size), true);
      }
      if (one.error === undefined) return;
      const { after } = new PiecesSink().feed(server(one), chopped(one.input, 1));
      assertEquals(after, one.error.after);
    });
  });

  test("compressed", () => {
    checkRows(DEFLATE_CASES, titleOf, (one) => {
      const make = () => new Hybi({ ...LIMITS, ...one }, { role: "server", deflate: WITH_CONTEXT });
      for (const size of [1, 7, 1000, one.input.length]) {
        if (size * 2000 < one.input.length) continue;
        for (const stops of [false, true]) check(one, make(), chopped(one.input, size), stops);
      }
    });
  });

  test("the drafts", () => {
    checkRows(
      hixieCases.flatMap((one) => one.versions.map((version) => ({ ...one, version }))),
      ({ version, name }) => `${version}: ${name}`,
      ({ version, maxMessageSize, bytes: input, events }) => {
        for (const stops of [false, true]) {
          const splits = stops ? [chopped(input, 1), chopped(input, 5)] : everySplit(input);
          for (const chunks of splits) {
            const sink = new PiecesSink(stops);
            const { error } = sink.feed(hixie(version, maxMessageSize), chunks);
            const got = sink.events.map(([kind, value]) =>
              kind === "close" ? [kind] : [kind, value]
            );
            assertEquals([...got, ...(error ? [["error", error.code]] : [])], [...events]);
          }
        }
      },
    );
  });

  test("a text in two frames, cut at each byte", () => {
    for (const one of UTF8_CASES) {
      for (let at = 0; at <= Math.min(one.payload.length, 20); at++) {
        const cut = inTwoFrames(one, at);
        check(cut, server(cut), [cut.input], false);
        check(cut, server(cut), chopped(cut.input, 1), true);
      }
    }
  });
});

describe("pieces", () => {
  test("come from each chunk of one frame, and of fragments with a ping between them", () => {
    const cases: [Uint8Array[], number[], number][] = [
      [[binary(pattern(3000))], [992, 1000, 1000, 8], 1000],
      [
        [begin(pattern(1500), 2), ping(""), continuation(pattern(600), true)],
        [992, 508, 478, 122],
        1000,
      ],
      [[begin("é".repeat(4)), continuation("ab", true)], [1, 1, 1, 1, 2], 2],
    ];
    for (const [frames, sizes, size] of cases) {
      const sink = new PiecesSink();
      sink.feed(server(), chopped(bytes(...frames), size));
      assertEquals(sink.sizes.reduce((a, b) => a + b), sizes.reduce((a, b) => a + b));
      if (size === 1000) assertEquals(sink.sizes, sizes);
    }
  });

  test("a message that is complete in its chunk is reported whole", () => {
    const sink = new PiecesSink();
    sink.feed(server(), [bytes(text("a"), binary("b"), text(""))]);
    assertEquals([sink.events.length, sink.sizes], [3, []]);
  });

  test("draft76: come from each chunk", () => {
    const sink = new PiecesSink();
    const input = bytes(hex("00"), "x".repeat(250), hex("FF 00"), "é", hex("FF"));
    sink.feed(hixie("draft76"), chopped(input, 100));
    assertEquals(sink.sizes, [99, 100, 51]);
    assertEquals(sink.events, [["text", "x".repeat(250)], ["text", "é"]]);
  });

  for (
    const [name, parameters] of [["with", WITH_CONTEXT], ["without", WITHOUT_CONTEXT]] as const
  ) {
    test(`${name} context: no more than 64 KiB are inflated after a stop`, () => {
      const size = 500_000;
      const bomb = deflate(new Uint8Array(size));
      assertLess(bomb.length, 4096);
      // With chunks of 64 and 128 bytes, zlib has read a chunk and still has output for its last byte.
      for (const chunk of [bomb.length + 100, 128, 100, 64, 1]) {
        const hybi = new Hybi(LIMITS, { role: "server", deflate: parameters });
        const sink = new PiecesSink(true);
        sink.feed(hybi, chopped(bytes(deflated(bomb, 2), text("next")), chunk));
        assertEquals(sink.events, [["binary", new Uint8Array(size)], ["text", "next"]]);
        assertLessOrEqual(Math.max(...sink.sizes), 64 * 1024);
        hybi.free();
      }
    });

    test(`${name} context: random messages in random fragments and chunks`, () => {
      const random = dice(7692);
      const client = new Hybi(LIMITS, {
        role: "client",
        deflate: { ...WITH_CONTEXT, sendsWithoutContext: parameters.receivesWithoutContext },
      });
      const hybi = new Hybi(LIMITS, { role: "server", deflate: parameters });
      for (let round = 0; round < 12; round++) {
        const output = new Output();
        const sent: [string, string | Uint8Array][] = [];
        for (let i = random(4); i >= 0; i--) {
          const isText = random(2) === 0;
          const word = String.fromCodePoint(0x20 + random(0x1000), 0x1f600 + random(50));
          const message = isText ? word.repeat(random(3000)) : pattern(random(100_000));
          sent.push([isText ? "text" : "binary", message]);
          if (random(2) === 0) {
            if (typeof message === "string") client.writeText(output, message);
            else client.writeBinary(output, message);
            continue;
          }
          const pieces = client.beginPieces(isText ? "text" : "binary");
          const step = 2 + 2 * random(5000);
          const units = typeof message === "string" ? [...message] : [];
          for (let at = 0; at < message.length; at += step) {
            if (random(3) === 0) client.writePing(output, Uint8Array.of(at));
            if (typeof message !== "string") pieces.write(output, message.subarray(at, at + step));
            else if (at < units.length) pieces.write(output, units.slice(at, at + step).join(""));
          }
          pieces.finish(output);
        }
        const sink = new PiecesSink(random(2) === 0);
        const { error } = sink.feed(hybi, chopped(output.take(), 1 + random(70_000)));
        assertEquals(error, undefined);
        assertEquals(sink.events.filter(([kind]) => kind !== "ping"), sent as never);
      }
      for (const end of [client, hybi]) end.free();
    });
  }

  test("maxMessageSize is that of the inflated message, and ends it in its middle", () => {
    const input = deflated(deflate(new Uint8Array(100_000)), 2);
    for (const [maxMessageSize, code] of [[100_000, undefined], [99_999, 1009]] as const) {
      const hybi = new Hybi({ ...LIMITS, maxMessageSize }, {
        role: "server",
        deflate: WITH_CONTEXT,
      });
      const sink = new PiecesSink(true);
      assertEquals(sink.feed(hybi, chopped(input, 20)).error?.code, code);
      assert(sink.sizes.length > 0);
      hybi.free();
    }
  });

  test("a slack for compression is no less than nothing beyond 2 GiB", () => {
    const maxMessageSize = 3 * 2 ** 30;
    const hybi = new Hybi({ ...LIMITS, maxMessageSize }, { role: "server", deflate: WITH_CONTEXT });
    const header = frame({ opcode: 0x42, length: maxMessageSize, lengthSize: 8 });
    assertEquals(new PiecesSink().feed(hybi, [header]).error, undefined);
    hybi.free();
  });

  test("nothing is inflated after the connection is freed while a message begins", () => {
    const hybi = new Hybi(LIMITS, { role: "server", deflate: WITHOUT_CONTEXT });
    const sink = new PiecesSink();
    sink.begin = () => hybi.free();
    sink.feed(hybi, [bytes(deflated(deflate("a")), ping("b"))]);
    assertEquals(sink.events, []);
  });

  test("a sink of draft76 may ask to stop after the last piece of a message", () => {
    const protocol = hixie("draft76");
    const sink = new PiecesSink();
    assertEquals(protocol.receive(hex("00 61"), false, sink), 2);
    const piece = sink.piece.bind(sink);
    sink.piece = (part) => {
      piece(part);
      return false;
    };
    assertEquals(protocol.receive(hex("62 FF 00 63 FF"), false, sink), 2);
    assertEquals(sink.events, [["text", "ab"]]);
  });
});

describe("maxFragmentSize", () => {
  const rows: [name: string, input: Uint8Array][] = [
    ["a text", text("x".repeat(11))],
    ["a binary message", binary("x".repeat(11))],
    ["a long text", text("x".repeat(300))],
    ["a first fragment", begin("x".repeat(11))],
    ["a later fragment", bytes(begin("a"), continuation("x".repeat(11), true))],
  ];
  for (const [name, input] of rows) {
    test(`refuses ${name} with 1009, in pieces and whole`, () => {
      for (const chunk of [1, 1000]) {
        const hybi = () => new Hybi({ ...LIMITS, maxFragmentSize: 10 }, { role: "server" });
        assertEquals(new PiecesSink().feed(hybi(), chopped(input, chunk)).error?.code, 1009);
        const whole = { ...recorderOf(new PiecesSink()), pieces: undefined };
        let code = 0;
        try {
          hybi().receive(input.slice(), false, whole);
        } catch (error) {
          code = (error as { code: number }).code;
        }
        assertEquals(code, 1009);
      }
    });
  }

  test("allows frames of its size, in a larger message, and any control frame", () => {
    const hybi = new Hybi({ ...LIMITS, maxFragmentSize: 10 }, { role: "server" });
    const part = "x".repeat(10);
    const sink = new PiecesSink();
    sink.feed(hybi, [
      bytes(text(part), begin(part), ping("p".repeat(11)), continuation(part, true)),
    ]);
    assertEquals(sink.events.map(([kind]) => kind), ["text", "ping", "text"]);
  });
});

function recorderOf(sink: PiecesSink) {
  return {
    text: (message: string) => sink.text(message),
    binary: (message: Uint8Array) => sink.binary(message),
    ping: (payload: Uint8Array) => sink.ping(payload),
    pong: (payload: Uint8Array) => sink.pong(payload),
    close: (code: number | undefined, reason: string) => sink.close(code, reason),
  };
}

test("text that is not UTF-8 is decoded in pieces as it is at once", () => {
  const random = dice(3629);
  const interesting = [0x41, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xf4, 0xff, 0xa0, 0x9f, 0x8f];
  for (let round = 0; round < 1000; round++) {
    const input = Uint8Array.from({ length: random(12) }, () => interesting[random(12)] as number);
    const decoder = new PieceDecoder();
    let got = "";
    for (const chunk of chopped(input, 1 + random(4))) {
      got += decoder.decode(chunk, 0, chunk.length);
    }
    got += decoder.flush();
    assertEquals(got, new TextDecoder("utf-8", { ignoreBOM: true }).decode(input), `${input}`);
  }
});
