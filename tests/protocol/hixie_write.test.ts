import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { Output } from "../../src/protocol/output.ts";
import { bytes, hex, textFrame } from "./hixie_cases.ts";
import { hixie, receiveAll } from "./hixie_receive.ts";

const fillers = {
  ASCII: "abcdefg",
  "Latin-1": "é",
  "two and three bytes": "é世",
  "surrogate pairs": "😀",
  "surrogate pairs, odd": "a😀",
  "lone surrogates": "\ud83d",
  "ASCII, then others": "x".repeat(2500) + "世",
};

describe("writes text", () => {
  const sizes = [0, 1, 2, 15, 16, 17, 341, 1023, 2047, 2048, 2049, 4096, 5000, 16384];

  for (const [kind, filler] of Object.entries(fillers)) {
    test(`${kind}: every size as TextEncoder has it`, () => {
      for (const size of [...sizes, 65535, 65536, 65537, 300_000]) {
        const message = filler.repeat(size / filler.length + 1).slice(0, size);
        const output = new Output();
        hixie().writeText(output, message);
        assertEquals(output.take(), textFrame(message), `${size} units`);
      }
    });

    test(`${kind}: is received as it was written`, () => {
      const messages = sizes.map((size) => filler.repeat(size / filler.length + 1).slice(0, size));
      const output = new Output();
      for (const message of messages) hixie().writeText(output, message);
      const events = messages.map((message) => ["text", message.toWellFormed()] as const);
      assertEquals(receiveAll(hixie(), [output.take()]), events);
    });
  }

  test("no text contains FF or FE", () => {
    const output = new Output();
    hixie().writeText(output, "\xfe\xff\ufffe\uffff\udbff\udfff\u00ff".repeat(500));
    const written = output.take();
    assertStrictEquals(written.indexOf(0xff), written.length - 1);
    assertStrictEquals(written.indexOf(0xfe), -1);
  });

  test("after the bytes that are there, in order, also large messages", () => {
    const messages = ["a", "é".repeat(70_000), "b", "x".repeat(5000), "c".repeat(70_000), ""];
    const output = new Output();
    const sent: Uint8Array[] = [];
    for (const message of messages) hixie().writeText(output, message);
    output.flush({ write: (piece) => sent.push(piece.slice()) });
    assertEquals(
      receiveAll(hixie(), [bytes(...sent)]),
      messages.map((message) => ["text", message] as const),
    );
  });

  test("reserves a buffer of about the size of ASCII text", () => {
    const output = new Output();
    hixie().writeText(output, "x".repeat(16384));
    assertStrictEquals(output.bytes.length < 16384 * 2, true);
  });
});

describe("writes a message of 64 KiB and more", () => {
  test("without a copy into the output", () => {
    const output = new Output();
    hixie().writeText(output, "x".repeat(65536));
    assertStrictEquals(output.length, 0);
    assertStrictEquals(output.size, 65538);
  });
});

describe("writes nothing but text and the close frame", () => {
  test("draft76 has a close frame, without code and reason", () => {
    const output = new Output();
    hixie("draft76").writeText(output, "a");
    hixie("draft76").writeClose(output, 1000, "done");
    assertEquals(output.take(), hex("00 61 FF FF 00"));
  });

  test("draft75 has none", () => {
    const output = new Output();
    hixie("draft75").writeClose(output, undefined, "");
    assertStrictEquals(output.size, 0);
  });

  test("binary messages, pings and pongs throw a TypeError that names the version", () => {
    const output = new Output();
    const payload = new Uint8Array(1);
    for (const version of ["draft75", "draft76"] as const) {
      const protocol = hixie(version);
      for (
        const [write, what] of [
          [() => protocol.writeBinary(output, payload), "binary message"],
          [() => protocol.writePing(output, payload), "ping"],
          [() => protocol.writePong(output, payload), "pong"],
        ] as const
      ) {
        const { message } = assertThrows(write, TypeError);
        assertStrictEquals(message, `Cannot send a ${what}: ${version} has none`);
      }
    }
    assertStrictEquals(output.size, 0);
  });

  test("hasBinary and hasCloseFrame say what the versions have", () => {
    assertEquals([hixie("draft75").hasBinary, hixie("draft76").hasBinary], [false, false]);
    assertEquals([hixie("draft75").hasCloseFrame, hixie("draft76").hasCloseFrame], [
      false,
      true,
    ]);
  });

  test("both versions have the same format", () => {
    assertStrictEquals(hixie("draft75").format, "hixie");
    assertStrictEquals(hixie("draft76").format, "hixie");
  });
});
