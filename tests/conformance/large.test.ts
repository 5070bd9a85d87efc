import { describe, test } from "node:test";
import { bytes, hex } from "../protocol/hixie_cases.ts";
import { chopped } from "../protocol/hixie_receive.ts";
import { begin, continuation, frame, pattern, ping } from "../protocol/hybi_frames.ts";
import type { RawClient } from "../support/raw_client.ts";
import { sized } from "../support/sizes.ts";
import { withServer } from "./echo_server.ts";
import { assertBytes, closeFrame, replyTo } from "./server_frames.ts";
import { forAll, open, talk } from "./talk.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** The text that the Autobahn suite repeats, and characters of every length in UTF-8. */
const TEXTS = ["BAsd7&jh23", "Käthe, 世界 😀; "] as const;

/** A message, and its bytes. */
interface Message {
  readonly kind: "text" | "binary";
  readonly payload: Uint8Array;
  /** The payload, masked with {@linkcode KEY}. */
  readonly masked: Uint8Array;
}

function messageOf(kind: "text" | "binary", size: number): Message {
  if (kind === "binary") return withMask(kind, pattern(size));
  const unit = new TextEncoder().encode(TEXTS[size < 4 * MIB ? 1 : 0]);
  const payload = new Uint8Array(size).fill(0x2a);
  for (let at = 0; at + unit.length <= size; at += unit.length) payload.set(unit, at);
  return withMask(kind, payload);
}

function withMask(kind: Message["kind"], payload: Uint8Array): Message {
  const masked = payload.slice();
  // Four bytes at a time, which is faster.
  const words = new Uint32Array(masked.buffer, 0, masked.length >> 2);
  const [key = 0] = new Uint32Array(KEY.slice().buffer);
  for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) ^ key;
  for (let i = words.length * 4; i < masked.length; i++) {
    masked[i] = (masked[i] as number) ^ (KEY[i & 3] as number);
  }
  return { kind, payload, masked };
}

/** Reads the echo of a message, and compares it. */
async function readEcho(client: RawClient, { kind, payload }: Message): Promise<void> {
  const opcode = kind === "text" ? 1 : 2;
  const header = frame({ opcode, length: payload.length, maskingKey: null });
  const echo = await client.read(header.length + payload.length);
  assertBytes(echo.subarray(0, header.length), header);
  assertBytes(echo.subarray(header.length), payload);
}

/** A masking key that changes every byte. */
const KEY = hex("37 FA 21 3D");

/**
 * A message in frames of `size` bytes, the last of them shorter, whose masking has a price. The size
 * is a multiple of 4, so that each frame begins with the first byte of the key.
 */
function framesOf({ kind, payload, masked }: Message, size: number): Uint8Array {
  const headers: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += size) {
    const length = Math.min(size, payload.length - at);
    const opcode = at > 0 ? 0 : kind === "text" ? 1 : 2;
    const header = frame({ opcode, fin: at + size >= payload.length, length, maskingKey: null });
    headers.push(bytes(header.fill((header[1] ?? 0) | 0x80, 1, 2), KEY));
  }
  return joined(headers.flatMap((header, index) => {
    const start = index === 0 ? 0 : index * size;
    return [header, masked.subarray(start, start + size)];
  }));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const KINDS = ["text", "binary"] as const;

/** How many messages follow each other. The Autobahn suite has 1000. */
const MESSAGES = sized({ test: 50, soak: 250 });

/** Sends bytes on a new connection, and checks that the message comes back. */
async function echo(port: number, message: Message, pieces: Iterable<Uint8Array>): Promise<void> {
  const { client } = await open(port, "rfc6455");
  try {
    for (const piece of pieces) client.write(piece);
    await readEcho(client, message);
  } finally {
    await client.destroy();
  }
}

describe("large messages, with the default settings", () => {
  test("AB 9.1, 9.2: 64 KiB to 16 MiB in one frame", () =>
    withServer({}, async (port) => {
      const rows = [64 * KIB, 256 * KIB, MIB, 4 * MIB].flatMap((size) =>
        KINDS.map((kind) => [kind, size] as const)
      );
      // The tests of the protocol have a text and a binary message of 16 MiB.
      for (const [kind, size] of [...rows, ["text", 8 * MIB], ["binary", 16 * MIB]] as const) {
        const message = messageOf(kind, size);
        await echo(port, message, [framesOf(message, size)]);
      }
    }));

  test("AB 9.3, 9.4: megabytes in frames of 64 bytes, 1 MiB in frames of 256 bytes to 1 MiB", () =>
    withServer({}, async (port) => {
      const echoAll = async (size: number, frameSizes: readonly number[]) => {
        const messages = KINDS.map((kind) => messageOf(kind, size));
        for (const frameSize of frameSizes) {
          for (const message of messages) await echo(port, message, [framesOf(message, frameSize)]);
        }
      };
      await echoAll(sized({ test: 1, soak: 4 }) * MIB, [64]);
      await echoAll(MIB, [256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB]);
    }));

  test("AB 1.1.8, 9.5, 9.6: 64 KiB and 1 MiB in one frame, sent in pieces of 64 bytes to 2 KiB", () =>
    withServer({}, async (port) => {
      const pieces = [64, 128, 256, 512, 997, KIB, 2 * KIB];
      for (const [size, sizes] of [[64 * KIB, pieces], [MIB, pieces.slice(3)]] as const) {
        for (const kind of KINDS) {
          const message = messageOf(kind, size);
          const sent = framesOf(message, size);
          for (const piece of sizes) await echo(port, message, chopped(sent, piece));
        }
      }
    }));

  test(`AB 9.7, 9.8: ${MESSAGES} messages of 0 to 4096 bytes, each answered before the next`, () =>
    withServer({}, (port) => {
      const rows = [0, 16, 64, 256, KIB, 4 * KIB].flatMap((size) =>
        KINDS.map((kind) => ({ name: `${kind} of ${size}`, ...messageOf(kind, size) }))
      );
      return forAll(rows, async (message) => {
        const { client } = await open(port, "rfc6455");
        const sent = framesOf(message, Infinity);
        for (let i = 0; i < MESSAGES; i++) {
          client.write(sent);
          await readEcho(client, message);
        }
        await client.destroy();
      });
    }));

  test("AB 10.1: 64 KiB in frames of 1300 bytes", () =>
    withServer({}, async (port) => {
      for (const kind of KINDS) {
        const message = messageOf(kind, 64 * KIB);
        await echo(port, message, [framesOf(message, 1300)]);
      }
    }));
});

describe("messages that are too large for the default settings", () => {
  const rows = [
    { name: "a header that announces 16 MiB and a byte", sent: headerOf(16 * MIB + 1) },
    {
      name: "16 MiB and a byte in two frames",
      sent: bytes(framesOf(messageOf("binary", 16 * MIB), 16 * MIB).fill(0x02, 0, 1), lastByte()),
    },
    { name: "more than maxFragments frames without payload", sent: emptyFrames(200_000) },
  ];

  test("close with 1009", () =>
    withServer({}, (port) =>
      forAll(rows, async ({ sent }) => {
        const received = await talk({ port, version: "rfc6455", pieces: [sent], fin: false });
        assertBytes(received, closeFrame(1009, received.subarray(4)));
      })));

  /** The header of a frame. */
  function headerOf(length: number): Uint8Array {
    return frame({ opcode: 2, length, lengthSize: 8 });
  }

  function lastByte(): Uint8Array {
    return continuation("x", true);
  }

  function emptyFrames(count: number): Uint8Array {
    const empty = continuation("", false);
    const frames = new Uint8Array(empty.length * count);
    for (let i = 0; i < count; i++) frames.set(empty, i * empty.length);
    return bytes(begin(""), frames);
  }
});

test("a message may have maxFragments frames, with pings between them", () =>
  withServer({}, async (port) => {
    const empty = continuation("", false);
    const frames = Array.from({ length: 128 * KIB - 2 }, () => empty);
    frames.splice(1000, 0, ping("x"));
    const { client } = await open(port, "rfc6455");
    client.write(joined([begin("a"), ...frames, continuation("b", true)]));
    const replies = [["ping", bytes("x")], ["text", "ab"]] as const;
    const expected = bytes(...replies.map(replyTo));
    assertBytes(await client.read(expected.length), expected);
    await client.destroy();
  }));
