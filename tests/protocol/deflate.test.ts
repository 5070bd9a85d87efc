import { assert, assertEquals, assertLess, assertMatch, assertThrows } from "@std/assert";
import process from "node:process";
import { describe, test } from "node:test";
import { canCompress, Deflate, type DeflateParameters } from "../../src/protocol/deflate.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { MessageMemory } from "../../src/protocol/message_memory.ts";
import { Output } from "../../src/protocol/output.ts";
import { ZlibStream } from "../../src/protocol/zlib.ts";
import {
  deflate,
  DEFLATE_CASES,
  deflated,
  inflate,
  WITH_CONTEXT,
  WITHOUT_RSV1,
} from "./deflate_cases.ts";
import { bytes } from "./hixie_cases.ts";
import { chopped, dice, everySplit } from "./hixie_receive.ts";
import type { HybiCase, HybiEvent } from "./hybi_frames.ts";
import { LIMITS, receiveAll, recorder } from "./hybi_receive.ts";

const WITHOUT_CONTEXT: DeflateParameters = {
  ...WITH_CONTEXT,
  sendsWithoutContext: true,
  receivesWithoutContext: true,
};

function server(limits: Partial<typeof LIMITS> = {}, deflate = WITH_CONTEXT): Hybi {
  return new Hybi({ ...LIMITS, ...limits }, { role: "server", deflate });
}

function* splits(input: Uint8Array): Generator<Iterable<Uint8Array>> {
  if (input.length <= 24) yield* everySplit(input);
  for (let at = 0; at <= Math.min(input.length, 200); at++) {
    yield [input.subarray(0, at), input.subarray(at)];
  }
  for (const size of [1, 7, 1024, input.length + 1]) yield chopped(input, size);
}

function check(
  one: HybiCase,
  pieces: Iterable<Uint8Array>,
  { owned = false, agreement = WITH_CONTEXT } = {},
): void {
  const hybi = server(one, agreement);
  const { events, error } = receiveAll(hybi, pieces, owned);
  hybi.free();
  assertEquals(events, one.events);
  assertEquals(error?.code, one.error?.code, error?.message);
}

describe("compressed messages, whole, byte by byte and split everywhere", () => {
  for (const one of DEFLATE_CASES) {
    test(`§${one.section} ${one.name}`, () => {
      for (const pieces of splits(one.input)) check(one, pieces);
      check(one, [one.input], { owned: true });
      if (one.error === undefined) return;
      const { after, error } = receiveAll(server(one), chopped(one.input, 1));
      assertEquals(after, one.error.after);
      assertMatch(error?.message ?? "", /\(RFC (?:6455|7692) §[\d.]+\)$/);
      assertLess(bytes(error?.message ?? "").length, 124);
    });
  }

  test("binary messages borrow memory, and texts do not", () => {
    const memory = new MessageMemory(false);
    const sizes: number[] = [];
    const take = memory.take.bind(memory);
    memory.take = (size) => {
      sizes.push(size);
      return take(size);
    };
    const message = "Hello";
    for (const frame of [1, 2].map((opcode) => deflated(deflate(message), opcode))) {
      // Alone in a chunk, and in two parts.
      for (const pieces of [[frame], [frame.slice(0, 9), frame.slice(9)]]) {
        assertEquals(receiveAll(server(), pieces, false, memory).events.length, 1);
      }
    }
    assertEquals(sizes, [message.length, message.length]);
  });

  test("messages that are not compressed are what they are without the extension", () => {
    for (const one of WITHOUT_RSV1) {
      const { input } = one;
      const half = input.length >> 1;
      // The streams of such connections are created only once.
      const options = { agreement: WITHOUT_CONTEXT };
      check(one, [input], options);
      check(one, [input.subarray(0, half), input.subarray(half)], options);
      if (input.length <= 300) check(one, chopped(input, 1), options);
      if (one.error === undefined) continue;
      const { after } = receiveAll(server(one, WITHOUT_CONTEXT), chopped(input, 1));
      assertEquals(after, one.error.after, one.name);
    }
  });

  test("RSV1 is refused if no extension was negotiated", () => {
    const [first] = DEFLATE_CASES;
    const plain = new Hybi(LIMITS, { role: "server" });
    assertEquals(receiveAll(plain, [first?.input ?? bytes("")]).error?.code, 1002);
  });
});

function* makeMessages(): Generator<string | Uint8Array> {
  const random = dice(7692);
  yield* ["", "Hello", "Hello", new Uint8Array(0), "€".repeat(1000)];
  for (let i = 0; i < 40; i++) {
    const size = random(i % 8 === 0 ? 100_000 : 3000);
    const range = i % 3 === 0 ? 256 : 7;
    yield Uint8Array.from({ length: size }, () => random(range));
    yield JSON.stringify(Array.from({ length: random(200) }, (_, n) => ({ n, name: "Käthe" })));
  }
}

/** Messages that compress well, messages that do not, and long messages. */
const messages: readonly (string | Uint8Array)[] = [...makeMessages()];

describe("round trips, for every result of the negotiation", () => {
  for (const context of [true, false]) {
    for (const sendWindowBits of [9, 12, 15]) {
      test(`${context ? "with context" : "without context"}, ${sendWindowBits} bits`, () => {
        const agreement = { ...(context ? WITH_CONTEXT : WITHOUT_CONTEXT), sendWindowBits };
        const [from, to] = [server({}, agreement), server({}, agreement)];
        // A server does not mask, so a client's end receives this.
        const deflate = { ...agreement, receiveWindowBits: sendWindowBits };
        const receiver = new Hybi(LIMITS, { role: "client", deflate });
        const output = new Output();
        const sent: HybiEvent[] = [];
        const received: HybiEvent[] = [];
        for (const message of messages) {
          if (typeof message === "string") from.writeText(output, message);
          else from.writeBinary(output, message);
          sent.push(typeof message === "string" ? ["text", message] : ["binary", message]);
          for (const piece of chopped(output.take(), 4096)) {
            receiver.receive(piece.slice(), false, recorder(received));
          }
        }
        assertEquals(received, sent);
        for (const end of [from, to, receiver]) end.free();
      });
    }
  }
});

test("this runtime can compress", () => assert(canCompress()));

describe("the streams of zlib", () => {
  /** The streams that `run` creates. `freed` has those that it destroys. */
  function made(run: () => void, freed: string[] = []): string[] {
    const names: string[] = [];
    const { deflating, inflating } = ZlibStream;
    const noted = (name: string, stream: ZlibStream) => {
      names.push(name);
      const destroy = stream.destroy.bind(stream);
      stream.destroy = () => {
        freed.push(name);
        destroy();
      };
      return stream;
    };
    ZlibStream.deflating = (...args) => noted("deflating", deflating(...args));
    ZlibStream.inflating = (...args) => noted("inflating", inflating(...args));
    try {
      run();
    } finally {
      Object.assign(ZlibStream, { deflating, inflating });
    }
    return names;
  }

  test("are shared by all connections with the same options that keep no window", () => {
    new Deflate(WITHOUT_CONTEXT);
    const use = (changes: Partial<DeflateParameters>) => () => {
      assert(canCompress());
      const deflate = new Deflate({ ...WITHOUT_CONTEXT, ...changes });
      const deflated = deflate.deflate(bytes("Hello")).slice();
      assertEquals(deflate.inflate(deflated, 5), bytes("Hello"));
      deflate.free();
    };
    assertEquals(made(use({})), []);
    for (const changes of [{ level: 2 }, { memLevel: 3 }, { sendWindowBits: 11 }]) {
      assertEquals(made(use(changes)), ["deflating"]);
      assertEquals(made(use(changes)), []);
    }
    assertEquals(made(use({ receivesWithoutContext: false })), ["inflating"]);
    assertEquals(made(use({ sendsWithoutContext: false })), ["deflating"]);
    assertEquals(made(use(WITH_CONTEXT)), ["deflating", "inflating"]);
  });

  for (const parameters of [WITH_CONTEXT, WITHOUT_CONTEXT]) {
    const isOwn = parameters === WITHOUT_CONTEXT;
    test(`are freed with their ${isOwn ? "message in pieces" : "connection"}`, () => {
      const freed: string[] = [];
      const both = ["deflating", "inflating"];
      const names = made(() => {
        const deflate = new Deflate(parameters);
        const pieces = deflate.deflatePieces();
        pieces.deflate(bytes("a"));
        pieces.free();
        deflate.inflatePieces(10).free();
        assertEquals(freed, isOwn ? both : []);
        deflate.free();
      }, freed);
      assertEquals([names, freed], [both, both]);
    });
  }
});

test("without node:zlib, nothing is compressed", () => {
  assertThrows(
    () => new Deflate(WITH_CONTEXT, null),
    TypeError,
    "Cannot compress: node:zlib is not available",
  );
});

describe("sending", () => {
  test("makes messages that zlib inflates, without the tail and without a last block", () => {
    const deflate = new Deflate(WITHOUT_CONTEXT);
    for (const message of messages) {
      const payload = bytes(message);
      const deflated = deflate.deflate(payload);
      assertEquals(inflate(deflated), payload);
      assert((deflated[0] ?? 0) % 2 === 0, "BFINAL is set");
      assertEquals(bytes(deflated.slice(-4)).join() === "0,0,255,255", false);
    }
  });

  test("makes one byte of an empty message (§7.2.3.6)", () => {
    assertEquals(new Deflate(WITH_CONTEXT).deflate(new Uint8Array(0)), Uint8Array.of(0));
  });

  test("keeps the window: the same message again takes a few bytes", () => {
    const text = bytes("A message of which there is nothing like it before: 8f3k2j1h9s7d");
    const [kept, fresh] = [new Deflate(WITH_CONTEXT), new Deflate(WITHOUT_CONTEXT)];
    const sizes = [kept, fresh].map((deflate) => [1, 2].map(() => deflate.deflate(text).length));
    const [[first = 0, again = 0] = [], [alone, aloneAgain] = []] = sizes;
    assertLess(again * 4, first);
    assertEquals(alone, aloneAgain);
    kept.free();
  });

  test("does not compress a message below the threshold", () => {
    const hybi = server({}, { ...WITH_CONTEXT, threshold: 6 });
    const output = new Output();
    hybi.writeText(output, "Hello");
    hybi.writeText(output, "Hello!");
    hybi.writeBinary(output, new Uint8Array(5));
    hybi.writeBinary(output, new Uint8Array(6));
    const firsts: number[] = [];
    const sent = output.take();
    for (let at = 0; at < sent.length; at += 2 + ((sent[at + 1] ?? 0) & 0x7f)) {
      firsts.push(sent[at] ?? 0);
    }
    assertEquals(firsts, [0x81, 0xc1, 0x82, 0xc2]);
  });

  test("compares the threshold with the bytes of a text, not its characters", () => {
    const hybi = server({}, { ...WITH_CONTEXT, threshold: 6 });
    for (const [message, first] of [["éé", 0x81], ["ééé", 0xc1], ["€€", 0xc1]] as const) {
      const output = new Output();
      hybi.writeText(output, message);
      assertEquals(output.take()[0], first, message);
    }
  });

  test("deflates data that does not shrink, at the lowest levels", () => {
    const random = dice(1);
    const payload = Uint8Array.from({ length: 300_000 }, () => random(256));
    for (const agreement of [WITH_CONTEXT, WITHOUT_CONTEXT]) {
      const deflate = new Deflate({ ...agreement, level: 1, memLevel: 1 });
      for (const size of [60_000, 65_000, 65_536, 300_000]) {
        const deflated = deflate.deflate(payload.subarray(0, size));
        const isAlone = agreement === WITHOUT_CONTEXT || size === 60_000;
        if (isAlone) assertEquals(inflate(deflated), payload.subarray(0, size));
      }
      deflate.free();
    }
  });

  test("holds little memory for a message that shrinks to little", () => {
    const deflated = new Deflate(WITHOUT_CONTEXT).deflate(new Uint8Array(1 << 20));
    assertLess(deflated.buffer.byteLength, 1 << 16);
  });

  test("has a format if messages do not depend on those before (for broadcasts)", () => {
    assertEquals(server({}, WITH_CONTEXT).format, undefined);
    const format = server({}, WITHOUT_CONTEXT).format;
    assertEquals(server({}, { ...WITHOUT_CONTEXT }).format, format);
    assert(server({}, { ...WITHOUT_CONTEXT, sendWindowBits: 10 }).format !== format);
    assert(format !== "hybi" && format !== undefined);
  });
});

test("a bomb that inflates to 1 GiB takes no more memory than the limit of 64 KiB allows", () => {
  const deflate = new Deflate(WITHOUT_CONTEXT);
  // A megabyte of zeros compresses to a kilobyte. The message has a thousand megabytes.
  const megabyte = new Deflate(WITHOUT_CONTEXT).deflate(new Uint8Array(1 << 20));
  const block = bytes(megabyte, Uint8Array.of(0, 0, 0xff, 0xff));
  const bomb = bytes(...Array.from({ length: 1000 }, () => block));
  const before = process.memoryUsage().rss;
  let code: unknown;
  try {
    deflate.inflate(bomb, 64 * 1024);
  } catch (error) {
    code = (error as { code?: unknown }).code;
  }
  assertEquals(code, 1009);
  assertLess(process.memoryUsage().rss - before, 64 << 20);
});
