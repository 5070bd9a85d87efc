import { assertEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import type { Deflate } from "../../src/protocol/deflate.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { OutgoingFragments } from "../../src/protocol/outgoing_fragments.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import { WITH_CONTEXT } from "./deflate_cases.ts";
import { bytes as bytesOf, hex } from "./hixie_cases.ts";
import { hixie } from "./hixie_receive.ts";
import { pattern } from "./hybi_frames.ts";
import { client, LIMITS, receiveAll, server } from "./hybi_receive.ts";

/** Writes a message in pieces, and calls `between` after each piece. */
function written(
  protocol: Protocol,
  pieces: readonly (string | Uint8Array)[],
  between: (output: Output) => void = () => {},
): Uint8Array {
  const output = new Output();
  const message = protocol.beginPieces(typeof pieces[0] === "object" ? "binary" : "text");
  for (const piece of pieces) {
    message.write(output, piece);
    between(output);
  }
  message.finish(output);
  return output.take();
}

describe("a message in pieces is written as", () => {
  const rows: [name: string, pieces: (string | Uint8Array)[], bytes: string][] = [
    ["nothing but an empty frame", [], "81 00"],
    ["a text in fragments (RFC 6455 §5.7)", ["Hel", "lo"], "01 03 48 65 6C 00 02 6C 6F 80 00"],
    ["a text that is not ASCII", ["é", "😀"], "01 02 C3 A9 00 04 F0 9F 98 80 80 00"],
    ["bytes", [hex("01 02"), hex("03")], "02 02 01 02 00 01 03 80 00"],
  ];
  for (const [name, pieces, bytes] of rows) {
    test(name, () => assertEquals(written(server(), pieces), hex(bytes)));
  }

  test("fragments with a ping between them", () => {
    const hybi = server();
    const bytes = written(hybi, ["a", "b"], (output) => hybi.writePing(output, hex("2A")));
    assertEquals(bytes, hex("01 01 61 89 01 2A 00 01 62 89 01 2A 80 00"));
  });

  for (const version of ["draft75", "draft76"] as const) {
    test(`${version}: one frame`, () => {
      assertEquals(written(hixie(version), []), hex("00 FF"));
      assertEquals(written(hixie(version), ["Hel", "lo", "é"]), hex("00 48 65 6C 6C 6F C3 A9 FF"));
      assertThrows(
        () => hixie(version).beginPieces("binary"),
        TypeError,
        `Cannot send a binary message: ${version} has none`,
      );
    });

    test(`${version}: no close frame inside of a text, which it would end`, () => {
      const protocol = hixie(version);
      const output = new Output();
      const message = protocol.beginPieces("text");
      const has = [protocol.hasCloseFrame];
      message.write(output, "a");
      has.push(protocol.hasCloseFrame);
      // A FIN of the client is no regular end of draft76, even now.
      assertEquals(protocol.expectsCloseFrame, version === "draft76");
      protocol.writeClose(output, 1000, "");
      assertEquals(output.take(), hex("00 61"));
      message.finish(output);
      has.push(protocol.hasCloseFrame);
      protocol.writeClose(output, 1000, "");
      assertEquals(output.take(), hex(version === "draft76" ? "FF FF 00" : "FF"));
      assertEquals(has, version === "draft76" ? [true, false, true] : [false, false, false]);
      message.free();
    });
  }
});

test("a message in pieces frees its compressor when it is complete or cut off", () => {
  for (const isWhole of [true, false]) {
    let freed = 0;
    const deflater = { deflate: (piece: Uint8Array) => piece, free: () => void freed++ };
    const deflate = { deflatePieces: () => deflater } as unknown as Deflate;
    const fragments = new OutgoingFragments(1, deflate, null);
    const output = new Output();
    fragments.write(output, "a");
    assertEquals(freed, 0);
    if (isWhole) fragments.finish(output);
    else fragments.free();
    assertEquals([freed, output.take()], [1, hex(`41 01 61${isWhole ? "80 01 00" : ""}`)]);
  }
});

describe("a message in pieces is received whole", () => {
  const pieces = ["short", "é".repeat(50_000), "x".repeat(200_000), pattern(70_000)];
  const compressions = {
    "": undefined,
    ", deflated with context": WITH_CONTEXT,
    ", deflated without context": { ...WITH_CONTEXT, sendsWithoutContext: true },
  };
  for (const [name, deflate] of Object.entries(compressions)) {
    for (const role of ["server", "client"] as const) {
      test(`by a ${role}'s peer${name}, as the messages around it`, () => {
        const sender = new Hybi(LIMITS, { role, deflate });
        const receiver = deflate === undefined
          ? role === "server" ? client() : server()
          : new Hybi(LIMITS, {
            role: role === "server" ? "client" : "server",
            deflate: { ...deflate, receivesWithoutContext: deflate.sendsWithoutContext },
          });
        for (let i = 0; i < 2; i++) {
          for (const piece of pieces) {
            const output = new Output();
            sender.writeText(output, "before");
            const bytes = [output.take(), written(sender, [piece, piece, piece])];
            const { events, error } = receiveAll(receiver, bytes);
            assertEquals(error, undefined);
            const whole = typeof piece === "string"
              ? ["text", piece.repeat(3)]
              : ["binary", bytesOf(piece, piece, piece)];
            assertEquals(events, [["text", "before"], whole] as never);
          }
        }
        for (const end of [sender, receiver]) end.free();
      });
    }
  }

  test("compressed, whatever the threshold, with one stream over all fragments", () => {
    const deflate = { ...WITH_CONTEXT, sendsWithoutContext: true, threshold: 1000 };
    const hybi = new Hybi(LIMITS, { role: "server", deflate });
    const text = "The same text is short the second time. ";
    const bytes = written(hybi, [text, text]);
    const first = bytes[1] as number;
    const second = bytes[2 + first + 1] as number;
    assertEquals([bytes[0], bytes[2 + first]], [0x41, 0x00]);
    assertEquals(second < first / 2, true, `${second} bytes after ${first}`);
    assertEquals(bytes.subarray(-3), hex("80 01 00"));
    hybi.free();
  });
});
