import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { Output } from "../../src/protocol/output.ts";
import { sameBytes } from "../support/bytes.ts";
import { bytes, hex } from "./hixie_cases.ts";
import { chopped } from "./hixie_receive.ts";
import { begin, binary, continuation, frame, type HybiEvent, ping, text } from "./hybi_frames.ts";
import { client, receiveAll, recorder, server } from "./hybi_receive.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Returns the sizes of the buffers that are made or moved while `run` runs. `run` gets them too. */
function allocations(run: (sizes: number[]) => void): number[] {
  const sizes: number[] = [];
  const { Uint8Array } = globalThis;
  const { transfer } = ArrayBuffer.prototype;
  const { allocUnsafeSlow } = Buffer;
  globalThis.Uint8Array = new Proxy(Uint8Array, {
    construct(target, args, newTarget) {
      if (typeof args[0] === "number") sizes.push(args[0]);
      return Reflect.construct(target, args, newTarget);
    },
  });
  ArrayBuffer.prototype.transfer = function (size) {
    sizes.push(size ?? this.byteLength);
    return transfer.call(this, size);
  };
  Buffer.allocUnsafeSlow = (size) => {
    sizes.push(size);
    return allocUnsafeSlow(size);
  };
  try {
    run(sizes);
  } finally {
    Buffer.allocUnsafeSlow = allocUnsafeSlow;
    globalThis.Uint8Array = Uint8Array;
    ArrayBuffer.prototype.transfer = transfer;
  }
  return sizes;
}

describe("memory", () => {
  const size = 4 * MIB;

  for (const opcode of [1, 2]) {
    test(`for a message of opcode ${opcode} is not far ahead of the bytes that have arrived`, () => {
      const hybi = server();
      const header = frame({ opcode, length: size, lengthSize: 8 });
      const sizes = allocations(() => receiveAll(hybi, [header]));
      assertLessOrEqual(Math.max(...sizes), 100);
      const piece = new Uint8Array(64 * KIB); // zeros, masked
      const key = hex("37 FA 21 3D");
      for (let at = 0; at < piece.length; at += key.length) piece.set(key, at);
      for (let arrived = piece.length; arrived < size; arrived += piece.length) {
        const sizes = allocations(() => hybi.receive(piece, false, recorder([])));
        const most = Math.max(0, ...sizes);
        assertLessOrEqual(most, arrived + Math.max(arrived, MIB), `${arrived} bytes have arrived`);
      }
    });
  }

  test("for a message in one frame is made for its size at once, up to 17 times the first chunk", () => {
    const rows = [[1, 1025], [1000, 17_000], [64_000, MIB], [200_000, MIB]] as const;
    for (const [first, memory] of rows) {
      const frame = binary(new Uint8Array(MIB)).subarray(0, 14 + first);
      const sizes = allocations(() => server().receive(frame, false, recorder([])));
      assertEquals(sizes.filter((size) => size > 14), [memory], `${first} bytes`);
    }
  });

  for (const opcode of [1, 2]) {
    test(`for a message of opcode ${opcode} in segments of 1 byte is 17 times theirs at most`, () => {
      const hybi = server();
      const whole = frame({ opcode, payload: new Uint8Array(20_000), lengthSize: 8 });
      receiveAll(hybi, [whole.subarray(0, 14)]);
      const payload = whole.subarray(14);
      const sink = recorder([]);
      const made = allocations((sizes) => {
        for (let arrived = 1; arrived < payload.length; arrived++) {
          const before = sizes.length;
          hybi.receive(payload.slice(arrived - 1, arrived), false, sink);
          if (sizes.length === before) continue;
          assertLessOrEqual(Math.max(...sizes.slice(before)), Math.max(1025, arrived * 17));
        }
      });
      assertLessOrEqual(made.filter((size) => size > 1).length, 5);
    });
  }

  test("for a message in many frames grows by doubling", () => {
    const frames = [
      begin("", 2),
      ...Array.from({ length: 4096 }, () => continuation("*".repeat(64), false)),
    ];
    const hybi = server();
    const sizes = allocations(() => {
      for (const each of frames) hybi.receive(each, false, recorder([]));
    });
    const buffers = sizes.filter((size) => size > 14);
    assertLessOrEqual(buffers.length, 10);
    assertEquals(Math.max(...buffers), 4096 * 64);
  });

  test("of a message belongs to the receiver, and has its size", () => {
    const payload = new Uint8Array(100_000);
    const inputs = [
      [[binary(payload)], false],
      [chopped(binary(payload), 1000), false],
      [
        [begin(payload.subarray(0, 70_000), 2), continuation(payload.subarray(70_000), true)],
        false,
      ],
      [[binary(payload.subarray(0, 5))], false],
      [[binary("")], false],
      [[begin("", 2), continuation("", true)], false],
    ] as const;
    for (const [pieces, owned] of inputs) {
      const { events } = receiveAll(server(), pieces, owned);
      const [, message] = events[0] as ["binary", Uint8Array];
      assertEquals(message.buffer.byteLength, message.length);
    }
  });

  for (const transferAt of [0, 1, 2, 3, 4]) {
    test(`of a message may be transferred, at event ${transferAt} of its chunk`, () => {
      const texts = ["text 0", "text 1", "text 2", "text 3"];
      const payload = new Uint8Array(40_000).fill(7);
      const frames = [binary(payload), ...texts.map((message) => text(message))];
      const chunk = bytes(...frames);
      const output = new Output();
      const seen: string[] = [];
      let message: Uint8Array | undefined;
      let events = 0;
      const event = () => {
        if (events++ === transferAt) (message?.buffer as ArrayBuffer).transfer();
        return true;
      };
      const hybi = server();
      hybi.receive(chunk, true, {
        ...recorder([]),
        binary: (received) => {
          assert(sameBytes(received, payload));
          message = received;
          return event();
        },
        text: (text) => {
          event();
          seen.push(text);
          hybi.writeText(output, text);
          return true;
        },
      });
      assertEquals(seen, texts);
      const echoes: HybiEvent[] = [];
      client().receive(output.take(), true, recorder(echoes));
      assertEquals(echoes, texts.map((text) => ["text", text] as const));
    });
  }

  test("for a frame in pieces is not kept once the frame is complete", () => {
    for (const one of [ping("abc"), text("abc"), binary("abc")]) {
      for (let cut = 1; cut < one.length; cut++) {
        const hybi = server();
        const sizes = [1, 2, 3].map(() =>
          allocations(() => {
            hybi.receive(one.slice(0, cut), false, recorder([]));
            hybi.receive(one.slice(cut), false, recorder([]));
          })
        );
        // If the memory were kept, no new memory would be allocated.
        assertEquals(sizes[1], sizes[0], `cut at ${cut}`);
        assertEquals(sizes[2], sizes[0], `cut at ${cut}`);
      }
    }
  });

  test("of a long text is used for the next one", () => {
    const [first, ...others] = [...chopped(text("a".repeat(200_000)), 50_000)] as [Uint8Array];
    const receive = (pieces: Uint8Array[]): number[] =>
      allocations(() => {
        const hybi = server();
        for (const piece of pieces) hybi.receive(piece.slice(), false, recorder([]));
      }).filter((size) => size >= 100_000);
    receive([first, ...others]);
    assertEquals(receive([first, ...others]), []);
    // Only one of two texts can use this memory at a time.
    assertEquals(receive([first]), []);
    assertEquals(receive([first]), [200_000]);
  });

  test("of a long text is not used for another at the same time", () => {
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(300_000));
    const hybis = texts.map(() => server());
    const frames = texts.map((message) => [...chopped(text(message), 70_000)]);
    for (let round = 0; round < 3; round++) {
      const events: HybiEvent[] = [];
      for (let i = 0; i < 5; i++) {
        hybis.forEach((hybi, at) =>
          hybi.receive(frames[at]?.[i]?.slice() as Uint8Array, false, recorder(events))
        );
      }
      assertEquals(events, texts.map((message) => ["text", message]));
    }
  });

  test("of an owned chunk is handed on if the message is most of it", () => {
    // The size of the message, the size of the text before it, and whether the message is most of the
    // chunk.
    const rows = [[1000, 0, true], [1000, 2000, false], [12, 0, true], [11, 0, false]] as const;
    for (const [size, before, same] of rows) {
      const chunk = bytes(text("*".repeat(before)), binary(new Uint8Array(size)));
      for (const owned of [false, true]) {
        const events: HybiEvent[] = [];
        server().receive(chunk.slice(), owned, recorder(events));
        const [, message] = events[1] as ["binary", Uint8Array];
        assertEquals(message, new Uint8Array(size));
        assertEquals(message.byteOffset > 0, owned && same, `${size} bytes after ${before}`);
      }
    }
  });
});

describe("limits", () => {
  test("a million empty fragments end with maxFragments", () => {
    const hybi = server({ maxFragments: 1000 });
    const empty = continuation("", false);
    receiveAll(hybi, [begin("")]);
    for (let frames = 2; frames <= 1_000_000; frames++) {
      const { error } = receiveAll(hybi, [empty]);
      if (error === undefined) continue;
      assertEquals([frames, error.code], [1001, 1009]);
      assertEquals(
        error.message,
        "a message must not exceed maxFragments (1000 frames) (RFC 6455 §7.4.1)",
      );
      return;
    }
    throw new Error("No limit was reached");
  });

  test("AB 9: 16 MiB in one frame, and one byte more", () => {
    const maxMessageSize = 16 * MIB;
    const payload = new Uint8Array(64 * KIB).fill(0x61);
    const maskingKey = new Uint8Array(4);
    for (const opcode of [1, 2]) {
      const hybi = server({ maxMessageSize });
      receiveAll(hybi, [frame({ opcode, length: maxMessageSize, lengthSize: 8, maskingKey })]);
      const pieces = Array.from({ length: maxMessageSize / payload.length }, () => payload);
      const { events, error } = receiveAll(hybi, pieces);
      assertEquals(error, undefined);
      const [, message] = events[0] as ["binary", Uint8Array] | ["text", string];
      assertEquals(message.length, maxMessageSize);
      assertEquals(message.at(-1), opcode === 1 ? "a" : 0x61);
    }
    const head = frame({ opcode: 2, length: maxMessageSize + 1, lengthSize: 8 });
    const { error, after } = receiveAll(server({ maxMessageSize }), chopped(head, 1));
    assertEquals([error?.code, after], [1009, 10]);
    assertEquals(
      error?.message,
      "a message must not exceed maxMessageSize (16777216 bytes) (RFC 6455 §7.4.1)",
    );
  });

  test("AB 9.3, 9.4: 4 MiB in frames of 64 bytes", () => {
    const part = "0123456789abcdef".repeat(4);
    for (const opcode of [1, 2]) {
      const middle = continuation(part, false);
      const frames = [
        begin(part, opcode),
        ...Array.from({ length: 65534 }, () => middle),
        continuation(part, true),
      ];
      const { events } = receiveAll(server(), frames);
      const [, message] = events[0] as ["binary", Uint8Array] | ["text", string];
      assertGreaterOrEqual(message.length, 4 * MIB);
      assertEquals(message.slice(-64), opcode === 1 ? part : new TextEncoder().encode(part));
    }
  });
});
