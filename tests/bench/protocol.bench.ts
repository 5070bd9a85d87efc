/**
 * Measures the wire format of RFC 6455 without a network, and prints Markdown:
 *
 * ```sh
 * deno run -A tests/bench/protocol.bench.ts
 * bun tests/bench/protocol.bench.ts
 * node tests/bench/protocol.bench.ts
 * ```
 *
 * "Receive" makes messages from a client's bytes. "Write" makes bytes for a transport from messages.
 * Both handle all messages of one read. Then masking and UTF-8 are measured alone. Then large messages
 * arrive in pieces and frames: a byte should cost the same in 16 MiB as in 1 MiB.
 *
 * @module
 */
import process from "node:process";
import { Hybi } from "../../src/protocol/hybi.ts";
import { mask, maskInto } from "../../src/protocol/mask.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Sink } from "../../src/protocol/protocol.ts";
import { checkUtf8, COMPLETE, decodeText } from "../../src/protocol/utf8.ts";
import { frame } from "../protocol/hybi_frames.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** The size of the reads in which a large message arrives. */
const READ = 64 * KIB;
/** The frame size of a fragmented message. */
const FRAGMENT = 64;
/** A masking key that changes no bytes, so that the same memory can be received again. */
const ZERO_KEY = new Uint8Array(4);

const limits = { maxMessageSize: 64 * MIB, maxFragments: 1 << 20 };
const server = new Hybi(limits, { role: "server" });
const encoder = new TextEncoder();

let used = 0;
const sink: Sink = {
  text: (message) => {
    // Reads the last character, so that the runtime really makes the string.
    used += message.length + message.charCodeAt(message.length - 1);
    return true;
  },
  binary: (message) => {
    used += message.length;
    return true;
  },
  ping: () => true,
  pong: () => true,
  close: () => true,
};

const target = {
  write: (bytes: Uint8Array): void => {
    used += bytes.length;
  },
};

/** Text whose UTF-8 has `size` bytes, as a flat string like those of a decoder. */
function textOf(kind: "ASCII" | "mixed", size: number): string {
  const filler = kind === "ASCII" ? "The quick brown fox, " : "Grüße, 世界 😀 and ASCII. ";
  const bytes = encoder.encode(filler.repeat(Math.ceil(size / filler.length))).subarray(0, size);
  // Replaces the bytes of a cut character by ASCII.
  const text = new TextDecoder().decode(bytes).replace(/\ufffd$/, "");
  return text + "x".repeat(size - encoder.encode(text).length);
}

/** CPU time per run in nanoseconds. Elapsed time would include other processes. */
function spanOf(run: () => void, milliseconds: number): number {
  const before = process.cpuUsage();
  const end = performance.now() + milliseconds;
  let runs = 0;
  do {
    run();
    runs++;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000 / runs;
}

/** CPU nanoseconds per run: the lowest of seven measurements of 40 ms, after 150 ms of warm-up. */
function measure(run: () => void): number {
  spanOf(run, 150);
  return Math.min(...Array.from({ length: 7 }, () => spanOf(run, 40)));
}

function receiver(bytes: Uint8Array, size: number): () => void {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return () => {
    for (const piece of pieces) server.receive(piece, false, sink);
  };
}

function repeat(bytes: Uint8Array, count: number): Uint8Array {
  const whole = new Uint8Array(bytes.length * count);
  for (let at = 0; at < whole.length; at += bytes.length) whole.set(bytes, at);
  return whole;
}

/** A message in one frame. */
function frameOf(payload: string | Uint8Array): Uint8Array {
  const opcode = typeof payload === "string" ? 1 : 2;
  return frame({ opcode, payload, maskingKey: ZERO_KEY });
}

/** A message in frames of 64 bytes. */
function framesOf(payload: Uint8Array, opcode: number): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += FRAGMENT) {
    const fin = at + FRAGMENT >= payload.length;
    const part = payload.subarray(at, at + FRAGMENT);
    frames.push(frame({ opcode: at === 0 ? opcode : 0, fin, payload: part, maskingKey: ZERO_KEY }));
  }
  const whole = new Uint8Array(frames.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const each of frames) {
    whole.set(each, at);
    at += each.length;
  }
  return whole;
}

function messagesTable(): void {
  console.log("| messages in one read | receive, ns each | write, ns each | received per second |");
  console.log("| --- | --: | --: | --: |");
  const sizes = [["32 B × 32", 32, 32], ["32 B", 32, 1], ["1 KiB", KIB, 1], [
    "16 KiB",
    16 * KIB,
    1,
  ]];
  for (const [name, size, count] of [...sizes, ["1 MiB", MIB, 1]] as [string, number, number][]) {
    for (const kind of ["ASCII", "mixed", "binary"] as const) {
      const message = kind === "binary" ? new Uint8Array(size) : textOf(kind, size);
      const received = measure(receiver(repeat(frameOf(message), count), READ)) / count;
      const output = new Output();
      const written = measure(() => {
        for (let i = 0; i < count; i++) {
          if (typeof message === "string") server.writeText(output, message);
          else server.writeBinary(output, message);
        }
        output.flush(target);
      }) / count;
      messageRow(`${name}, ${kind}`, received, written);
    }
  }
  const fragments = framesOf(new Uint8Array(4 * MIB), 2);
  const received = measure(receiver(fragments, READ)) / (4 * MIB / FRAGMENT);
  messageRow("64 B frames of a binary message of 4 MiB", received, NaN);
}

function messageRow(name: string, received: number, written: number): void {
  const [receive, write] = [received, written].map((time) =>
    time < 1000 ? time.toFixed(1) : time.toFixed(0)
  );
  const rate = (1e9 / received).toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
  console.log(`| ${name} | ${receive} | ${isNaN(written) ? "" : write} | ${rate} |`);
}

function bytesTable(): void {
  const sizes = [16, 64, 512, 4 * KIB, 64 * KIB, MIB];
  const names = sizes.map((size) => size < KIB ? `${size} B` : `${size / KIB} KiB`);
  console.log(`\n| ns per byte | ${names.join(" | ")} |`);
  console.log("| --- |" + " --: |".repeat(sizes.length));
  const subjects: [string, (bytes: Uint8Array) => () => void, "ASCII" | "mixed"][] = [
    ["mask in place", (bytes) => () => used += mask(bytes, 0, bytes.length, 0x12345678), "ASCII"],
    ["mask into other memory", (bytes) => {
      const other = new Uint8Array(bytes.length);
      return () => used += maskInto(other, 0, bytes, 0, bytes.length, 0);
    }, "ASCII"],
    [
      "check UTF-8, mixed",
      (bytes) => () => used += checkUtf8(bytes, 0, bytes.length, COMPLETE),
      "mixed",
    ],
    [
      "decode, ASCII",
      (bytes) => () => used += decodeText(bytes, 0, bytes.length, 0).length,
      "ASCII",
    ],
    [
      "decode, mixed",
      (bytes) => () => used += decodeText(bytes, 0, bytes.length, 0x80).length,
      "mixed",
    ],
  ];
  for (const [name, subject, kind] of subjects) {
    const cells = sizes.map((size) => {
      const bytes = encoder.encode(textOf(kind, size));
      return (measure(subject(bytes)) / size).toFixed(3);
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

function piecesTable(): void {
  const sizes = [MIB, 4 * MIB, 16 * MIB];
  const titles = sizes.map((size) => `${size / MIB} MiB, ns/B`);
  console.log(`\n| one message in pieces of | ${titles.join(" | ")} |`);
  console.log("| --- |" + " --: |".repeat(sizes.length));
  for (const kind of ["ASCII", "mixed", "binary"] as const) {
    const payloads = sizes.map((size) =>
      kind === "binary" ? new Uint8Array(size) : encoder.encode(textOf(kind, size))
    );
    const opcode = kind === "binary" ? 2 : 1;
    const inputs = [
      ["one frame", payloads.map((payload) => frame({ opcode, payload, maskingKey: ZERO_KEY }))],
      [`frames of ${FRAGMENT} B`, payloads.map((payload) => framesOf(payload, opcode))],
    ] as const;
    for (const [form, frames] of inputs) {
      for (const piece of [1, 64, KIB, READ]) {
        const cells = frames.map((bytes, i) => {
          const run = receiver(bytes, piece);
          run();
          const time = Math.min(...(piece === 1 ? [1] : [1, 2, 3]).map(() => spanOf(run, 1)));
          return (time / (sizes[i] as number)).toFixed(2);
        });
        console.log(`| ${piece} B, ${form}, ${kind} | ${cells.join(" | ")} |`);
      }
    }
  }
}

const { bun, deno, node } = process.versions;
console.log(`## RFC 6455 on ${deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`}\n`);
messagesTable();
bytesTable();
piecesTable();
if (used === 0) throw new Error("Nothing was received");
