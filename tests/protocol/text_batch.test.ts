import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol, Sink } from "../../src/protocol/protocol.ts";
import { text as conversions } from "../../src/protocol/text_codec.ts";
import { textFrame } from "./hixie_cases.ts";
import { text } from "./hybi_frames.ts";
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
