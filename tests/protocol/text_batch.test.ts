import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol, Sink } from "../../src/protocol/protocol.ts";
import { Read } from "../../src/protocol/receive_state.ts";
import { receiveTexts } from "../../src/protocol/text_batch.ts";
import { text as conversions } from "../../src/protocol/text_codec.ts";
import { bytes, hex, textFrame } from "./hixie_cases.ts";
import { binary, text } from "./hybi_frames.ts";
import { client, LIMITS, recorder, server } from "./hybi_receive.ts";

/** A receiving end of a wire format, and a function that makes a text frame for it. */
interface Receiver {
  readonly name: string;
  readonly make: () => Protocol;
  readonly frame: (message: string) => Uint8Array;
}

function hixie(): Protocol {
  return new Hixie(LIMITS, { version: "draft76" });
}

const RECEIVERS: readonly Receiver[] = [
  { name: "rfc6455", make: server, frame: text },
  { name: "draft76", make: hixie, frame: textFrame },
];

/** A chunk of texts. */
function join({ frame }: Receiver, messages: readonly string[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...frame(message)]));
}

function receive({ make }: Receiver, chunk: Uint8Array, onText: Sink["text"]): void {
  make().receive(chunk, false, { ...recorder([]), text: onText });
}

/** Returns the texts that a peer receives from an output. */
function read(output: Output, peer: Protocol = client()): string[] {
  const messages: string[] = [];
  const sink: Sink = { ...recorder([]), text: (message) => messages.push(message) > 0 };
  peer.receive(output.take(), true, sink);
  return messages;
}

const TEXTS = ["first", "second", "", "a".repeat(64), "b".repeat(65), "second", "é", "last"];

for (const receiver of RECEIVERS) {
  describe(`short texts of ${receiver.name} in one chunk`, () => {
    test("can be written to every format as they were received", () => {
      for (
        const [writer, peer] of [[server(), client()], [client(), server()], [hixie(), hixie()]]
      ) {
        const output = new Output();
        receive(receiver, join(receiver, TEXTS), (message) => {
          writer?.writeText(output, message);
          writer?.writeText(output, "something else");
          return true;
        });
        const expected = TEXTS.flatMap((message) => [message, "something else"]);
        assertEquals(read(output, peer), expected);
      }
    });

    test("can be written while the sink receives others", () => {
      const output = new Output();
      const writer = server();
      const write = (message: string) => writer.writeText(output, message);
      const texts = ["first", "2", "third"];
      receive(receiver, join(receiver, texts), (message) => {
        write(message);
        receive(receiver, join(receiver, [`${message} within`, "more"]), (nested) => {
          write(nested);
          write(message);
          return true;
        });
        write(message);
        return true;
      });
      const expected = texts.flatMap((
        message,
      ) => [message, `${message} within`, message, "more", message, message]);
      assertEquals(read(output), expected);
    });

    for (const how of ["returned", "stopped", "failed"] as const) {
      test(`do not depend on the bytes of the chunk after the sink has ${how}`, () => {
        const kept: string[] = [];
        const chunk = join(receiver, ["one", "two", "three"]);
        const run = () =>
          receive(receiver, chunk, (message) => {
            kept.push(message);
            if (how === "failed") throw new Error("The sink has failed");
            return how === "returned";
          });
        if (how === "failed") assertThrows(run, Error, "The sink has failed");
        else run();
        chunk.fill(0xee);
        const output = new Output();
        for (const message of ["", ...kept]) server().writeText(output, message);
        assertEquals(read(output), ["", ...kept]);
      });
    }
  });
}

describe("receiveTexts", () => {
  const LONGEST = 1000;
  const SOME = [[], ["a"], ["é"], ["", "a", ""], ["a", "é", "b"], ["é", "€"], ["a", "b", "c", "é"]];
  const MANY = [
    Array.from({ length: 45 }, (_, i) => `message ${i}`),
    Array.from({ length: 45 }, (_, i) => i % 11 === 10 ? `é${i}` : "x".repeat(i)),
    ["a".repeat(125), `${"b".repeat(123)}é`, "\x7f", "\x80"],
  ];
  /** Bytes that are no whole short text. */
  const RESTS: readonly (readonly [name: string, rest: Uint8Array])[] = [
    ["nothing", bytes()],
    ["a byte of a header", hex("81")],
    ["a header", text("abc").slice(0, 6)],
    ["a part of a text", text("abc").slice(0, 8)],
    ["a text of 126 bytes", text("c".repeat(126))],
    ["a binary message", binary("abc")],
    ["a text that is not masked", hex("81 01 61 81 01 61 81 01 61")],
  ];

  /** Receives texts from a copy of the chunk, which it returns too. */
  function run(chunk: Uint8Array, { stopAfter = 0, longest = LONGEST } = {}) {
    const texts: string[] = [];
    const copy = chunk.slice();
    const sink = {
      ...recorder([]),
      text: (message: string) => texts.push(message) !== stopAfter,
    };
    return { after: receiveTexts(new Read(copy, false, sink), 0, longest), texts, copy };
  }

  for (const [name, rest] of RESTS) {
    test(`receives all texts before ${name}, and leaves it as it is`, () => {
      for (const messages of [...SOME, ...MANY]) {
        const frames = bytes(...messages.map((message) => text(message)));
        const { after, texts, copy } = run(bytes(frames, rest));
        assertEquals([after, texts], [frames.length, messages]);
        assertEquals(copy.slice(after), rest);
      }
    });
  }

  test("stops after each text, and leaves the others as they are", () => {
    for (const messages of [...SOME, ...MANY]) {
      const chunk = bytes(...messages.map((message) => text(message)));
      for (let stopAfter = 1; stopAfter <= messages.length; stopAfter++) {
        const { after, texts, copy } = run(chunk, { stopAfter });
        const received = messages.slice(0, stopAfter);
        assertEquals(texts, received);
        const end = bytes(...received.map((message) => text(message))).length;
        assertEquals(after, ~end);
        assertEquals(copy.slice(end), chunk.slice(end));
      }
    }
  });

  test("receives no text that is longer than the limit", () => {
    const [fits, tooLong] = [text("abc"), text("abcd")];
    const { after, texts, copy } = run(bytes(fits, fits, tooLong), { longest: 3 });
    assertEquals([after, texts], [fits.length * 2, ["abc", "abc"]]);
    assertEquals(copy.slice(after), tooLong);
  });
});

test("short texts of rfc6455 in one chunk are decoded 1, 8 and then 32 at a time", () => {
  const texts = Array.from({ length: 45 }, (_, i) => `message ${i + 10}`);
  const { latin1 } = conversions;
  const decoded: number[] = [];
  conversions.latin1 = (bytes, start, end) => {
    decoded.push(end - start);
    return latin1(bytes, start, end);
  };
  const received: string[] = [];
  const chunk = Uint8Array.from(texts.flatMap((message) => [...text(message)]));
  try {
    server().receive(chunk, false, {
      ...recorder([]),
      text: (message) => received.push(message) > 0,
    });
  } finally {
    conversions.latin1 = latin1;
  }
  assertEquals(received, texts);
  // Each frame has a header of 6 bytes and a text of 10.
  assertEquals(decoded, [1, 8, 32, 4].map((count) => count * 16 - 6));
});
