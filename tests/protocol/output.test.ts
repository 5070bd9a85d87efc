import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import { bytes } from "./hixie_cases.ts";
import { pattern } from "./hybi_frames.ts";

/** A write of a transport. */
interface Write {
  readonly bytes: Uint8Array;
  readonly stable: boolean;
  /** Whether the transport got the same array that the test wrote. */
  readonly same: boolean;
}

function flush(output: Output, payload?: Uint8Array): Write[] {
  const writes: Write[] = [];
  output.flush({
    write(bytes, stable) {
      writes.push({ bytes: bytes.slice(), stable, same: bytes === payload });
    },
  });
  return writes;
}

describe("Output", () => {
  test("sends what was appended, in one write, and is empty again", () => {
    const output = new Output();
    for (let i = 0; i < 100; i++) output.append(pattern(i));
    const whole = bytes(...Array.from({ length: 100 }, (_, i) => pattern(i)));
    assertEquals(output.size, whole.length);
    assertEquals(flush(output), [{ bytes: whole, stable: false, same: false }]);
    assertEquals([output.size, output.length], [0, 0]);
    assertEquals(flush(output), []);
  });

  test("is sent by writeStart if the target has it", () => {
    const output = new Output();
    const writes: Uint8Array[] = [];
    const starts: number[] = [];
    const flush = () =>
      output.flush({
        write: (bytes) => writes.push(bytes.slice()),
        writeStart: (bytes, length) => {
          starts.push(length);
          assertStrictEquals(bytes, output.bytes);
          writes.push(bytes.slice(0, length));
        },
      });
    output.append(bytes("first"));
    flush();
    output.append(bytes("2nd"));
    output.refer(bytes("payload"));
    output.append(bytes("3rd"));
    flush();
    output.append(bytes("4"));
    output.refer(bytes("payload"));
    output.append(bytes("5"));
    flush();
    const texts = ["first", "2nd", "payload", "3rd", "4", "payload", "5"];
    assertEquals(writes, texts.map((text) => bytes(text)));
    assertEquals(starts, [5]);
  });

  test("reserves room for bytes that are written later", () => {
    const output = new Output();
    output.append(Uint8Array.of(1, 2, 3));
    const at = output.reserve(5000);
    assertEquals([at, output.length], [3, 3]);
    output.bytes.fill(0, at, at + 4999);
    output.bytes[at + 4999] = 9;
    output.length = at + 5000;
    assertEquals(
      output.take(),
      bytes(Uint8Array.of(1, 2, 3), new Uint8Array(4999), Uint8Array.of(9)),
    );
  });

  test("sends payloads by reference, in their places", () => {
    const payload = pattern(10);
    const output = new Output();
    output.refer(payload);
    output.append(bytes("a"));
    output.refer(payload);
    output.refer(payload);
    output.append(bytes("b"));
    assertEquals(output.size, 32);
    assertEquals(bytes(...output), bytes(payload, "a", payload, payload, "b"));
    assertEquals([...output].map(({ length }) => length), [10, 1, 10, 10, 1]);
    const referred = { bytes: payload, stable: true, same: true };
    assertEquals(flush(output, payload), [
      referred,
      { bytes: bytes("a"), stable: false, same: false },
      referred,
      referred,
      { bytes: bytes("b"), stable: false, same: false },
    ]);
    assertEquals(output.size, 0);
  });

  test("refers to payloads from 64 KiB on, and copies smaller ones", () => {
    for (const [size, pieces] of [[65_535, 1], [65_536, 2]] as const) {
      const output = new Output();
      const payload = pattern(size);
      new Hybi({ maxMessageSize: 1, maxFragments: 1 }, { role: "server" })
        .writeBinary(output, payload);
      assertEquals([...output].length, pieces);
      assertEquals([...output].includes(payload), pieces === 2);
    }
  });

  test("grows only if it is too small", () => {
    const output = new Output();
    output.append(pattern(1024));
    assertEquals(output.bytes.length, 1024);
    output.append(pattern(1));
    assertEquals(output.bytes.length, 2048);
  });

  test("returns everything as one array", () => {
    const output = new Output();
    output.append(bytes("a"));
    output.refer(bytes("b"));
    assertEquals(output.take(), bytes("ab"));
    assertEquals(output.take(), bytes());
  });

  test("keeps a buffer up to 64 KiB, and gives a larger one to the transport", () => {
    for (const [size, kept] of [[10, true], [64 * 1024, true], [64 * 1024 + 1, false]] as const) {
      const output = new Output();
      output.append(pattern(size));
      const { bytes } = output;
      assertEquals(flush(output).map(({ stable }) => stable), [!kept]);
      assertEquals(output.bytes === bytes, kept);
      output.append(Uint8Array.of(7));
      assertStrictEquals(bytes[0] === 7, kept);
    }
  });

  test("removes everything, and a large buffer", () => {
    const output = new Output();
    output.append(pattern(100_000));
    output.refer(pattern(5));
    output.clear();
    assertEquals([output.size, flush(output)], [0, []]);
    assertEquals(output.bytes.length, 1024);
  });

  test("gives a large buffer away only if most of it is used", () => {
    const rows = [
      ...[[50_000, 110_000, false], [66_000, 110_000, false], [80_000, 110_000, true]] as const,
      ...[[79_999, 120_000, false], [80_000, 120_000, true]] as const,
    ];
    for (const [used, capacity, stable] of rows) {
      const output = new Output();
      output.append(pattern(used));
      // Reserves the worst-case size, as for a text.
      output.reserve(capacity - used);
      assertEquals(output.written().buffer === output.bytes.buffer, stable);
      const writes: Uint8Array[] = [];
      output.flush({
        write: (bytes, isStable) => {
          assertEquals([bytes, isStable], [pattern(used), stable]);
          writes.push(bytes);
        },
      });
      assertEquals(writes.length, 1);
    }
  });

  test("doubles its capacity, and from 64 KiB on adds a quarter", () => {
    const output = new Output();
    const capacities = new Set<number>();
    while (output.length < 150_000) {
      output.append(Uint8Array.of(7));
      capacities.add(output.bytes.length);
    }
    assertEquals([...capacities], [
      ...[1, 2, 4, 8, 16, 32, 64, 80, 100, 125].map((kibibytes) => kibibytes * 1024),
      160_000,
    ]);
  });

  for (const length of [1, 34, 3000]) {
    test(`holds at most 1.5 times its bytes when 64 KiB are full, of ${length} bytes each`, () => {
      const output = new Output();
      while (output.size < 64 * 1024) output.append(pattern(length));
      assert(output.bytes.length <= output.size * 1.5, `${output.bytes.length}`);
    });
  }

  const texts: [name: string, text: string][] = [
    ["ASCII", "a".repeat(200_000)],
    ["three bytes each", "\u20ac".repeat(100_000)],
    // From samples, the first text is estimated as ASCII, and the second as three bytes for each
    // character.
    ["ASCII where it is looked at", ("a" + "\u20ac".repeat(6249)).repeat(32)],
    ["ASCII where it is not looked at", ("\u20ac" + "a".repeat(6249)).repeat(32)],
  ];
  for (const [name, text] of texts) {
    test(`refers to at most 1.5 times the bytes of a long text, ${name}`, () => {
      const encoded = new TextEncoder().encode(text);
      for (const version of ["hybi", "hixie"] as const) {
        const limits = { maxMessageSize: 1, maxFragments: 1 };
        const protocol = version === "hybi"
          ? new Hybi(limits, { role: "server" })
          : new Hixie(limits, { version: "draft76" });
        const output = new Output();
        protocol.writeText(output, text);
        const pieces = [...output];
        const payload = pieces.reduce((a, b) => a.length > b.length ? a : b);
        const start = version === "hybi" ? 0 : 1;
        assertEquals(payload.subarray(start, start + encoded.length), encoded);
        assert(payload.buffer.byteLength <= payload.length * 1.5, `${payload.buffer.byteLength}`);
      }
    });
  }
});
