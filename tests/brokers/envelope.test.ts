import { assert, assertEquals, assertExists } from "@std/assert";
import { describe, test } from "node:test";
import { Envelope, seal, sealControl } from "../../src/pubsub/brokers/envelope.ts";
import { latin1Bytes } from "../support/bytes.ts";

const SENDER = latin1Bytes("SENDER..");
const OTHER = latin1Bytes("SENDER,.");

describe("an envelope", () => {
  const payloads: [string, string | Uint8Array][] = [
    ["text", "hello"],
    ["an empty text", ""],
    ["text beyond ASCII", "\u0000\ufeffžluťoučký 👋"],
    ["bytes", Uint8Array.of(0, 0xff, 0xc0)],
    ["no bytes", new Uint8Array(0)],
    ["many bytes", new Uint8Array(70_000).fill(7)],
  ];
  for (const [name, payload] of payloads) {
    test(`carries ${name}`, () => {
      const envelope = Envelope.open(seal(SENDER, "a topic 日本", payload));
      assertExists(envelope);
      assertEquals(envelope.topic, "a topic 日本");
      assertEquals(envelope.payload, payload);
      assert(envelope.isFrom(SENDER));
      assert(!envelope.isFrom(OTHER));
    });
  }

  test("is read from a part of a larger buffer", () => {
    const sealed = seal(SENDER, "t", "x");
    const buffer = new Uint8Array(sealed.length + 10).fill(0xaa);
    buffer.set(sealed, 5);
    const envelope = Envelope.open(buffer.subarray(5, 5 + sealed.length));
    assertEquals(envelope?.payload, "x");
  });

  test("may be for the application instead of its subscribers", () => {
    const envelope = Envelope.open(sealControl(SENDER, "t", "é"));
    assertEquals([envelope?.isControl, envelope?.topic, envelope?.payload], [true, "t", "é"]);
    assertEquals(Envelope.open(seal(SENDER, "t", "é"))?.isControl, false);
  });

  test("has this format", () => {
    const form = "WSP\u0001SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0002newshi";
    assertEquals(seal(SENDER, "news", "hi"), latin1Bytes(form));
  });
});

describe("data that is not an envelope is refused", () => {
  const sealed = seal(SENDER, "news", "hello");

  test("with another length", () => {
    for (let length = 0; length < sealed.length; length++) {
      assertEquals(Envelope.open(sealed.subarray(0, length)), undefined, `${length} bytes`);
    }
    assertEquals(Envelope.open(Uint8Array.of(...sealed, 0)), undefined);
  });

  test("with another value in any byte of its header, except the sender", () => {
    for (const at of [0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 18]) {
      for (let value = 0; value < 256; value++) {
        const changed = sealed.slice();
        changed[at] = value;
        // The kind may be text, binary or control. The lengths of topic and payload depend on each other.
        if (value === sealed[at] || (at === 12 && value < 3) || (at === 14 && value < 10)) continue;
        assertEquals(Envelope.open(changed), undefined, `byte ${at}: ${value}`);
      }
    }
  });

  test("with another type", () => {
    for (
      const data of [undefined, null, "WSP\u0001", 7, {}, [], new ArrayBuffer(40), ["t", sealed]]
    ) {
      assertEquals(Envelope.open(data), undefined);
    }
  });

  test("if its topic or its text is not UTF-8", () => {
    const changed = sealed.slice();
    changed[19] = 0xff;
    assertEquals(Envelope.open(changed)?.topic, undefined);
    changed[changed.length - 1] = 0xc3;
    assertEquals(Envelope.open(changed)?.payload, undefined);
  });
});
