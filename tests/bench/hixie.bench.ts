/**
 * Measures the wire format of draft75 and draft76 without a network, and prints Markdown:
 *
 * ```sh
 * deno run -A tests/bench/hixie.bench.ts
 * bun tests/bench/hixie.bench.ts
 * node tests/bench/hixie.bench.ts
 * ```
 *
 * "Receive" makes strings from bytes. "Write" makes bytes for a transport from strings. Both handle all
 * messages of one read. Then the same messages arrive in pieces: a byte should cost the same in 16 MiB
 * as in 1 MiB, and less in larger pieces.
 *
 * @module
 */
import process from "node:process";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Sink } from "../../src/protocol/protocol.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** The size of the reads in which a large message arrives. */
const READ = 64 * KIB;

const ascii = "The quick brown fox jumps over the lazy dog, and does it again. ";
const mixed = "Grüße, 世界 😀 and some plain ASCII words about it. ";

const limits = { maxMessageSize: 64 * MIB, maxFragments: 1 };
const encoder = new TextEncoder();

let units = 0;
const sink: Sink = {
  text: (message) => {
    // Reads the last character, so that the runtime really makes the string.
    units += message.length + message.charCodeAt(message.length - 1);
    return true;
  },
  binary: () => true,
  ping: () => true,
  pong: () => true,
  close: () => true,
};

/** Text whose UTF-8 has about `size` bytes. */
function textOf(filler: string, size: number): string {
  const { length } = encoder.encode(filler);
  if (size >= length) return filler.repeat(Math.floor(size / length));
  return filler.slice(0, Math.floor(size * filler.length / length));
}

function framesOf(message: string, count: number): Uint8Array {
  const output = new Output();
  const protocol = new Hixie(limits, { version: "draft76" });
  for (let i = 0; i < count; i++) protocol.writeText(output, message);
  return output.take();
}

/** Nanoseconds per run: the lowest of nine measurements, because other processes only add time. */
function measure(run: () => void, milliseconds = 50): number {
  let runs = 1;
  // Warms up, and finds how many runs fill one measurement, because reading the clock also costs time.
  while (spanOf(run, runs) < milliseconds) runs *= 2;
  spanOf(run, runs);
  return Math.min(...Array.from({ length: 9 }, () => spanOf(run, runs))) * 1e6 / runs;
}

/** How long `runs` runs take, in milliseconds. */
function spanOf(run: () => void, runs: number): number {
  const start = performance.now();
  for (let i = 0; i < runs; i++) run();
  return performance.now() - start;
}

function receiver(bytes: Uint8Array, size: number): () => void {
  const protocol = new Hixie(limits, { version: "draft76" });
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return () => {
    for (const piece of pieces) protocol.receive(piece, false, sink);
  };
}

function writer(message: string, count: number): () => void {
  const protocol = new Hixie(limits, { version: "draft76" });
  const output = new Output();
  const target = {
    write: (bytes: Uint8Array): void => {
      units += bytes.length;
    },
  };
  return () => {
    for (let i = 0; i < count; i++) protocol.writeText(output, message);
    output.flush(target);
  };
}

function messagesTable(): void {
  console.log("| messages in one read | receive, ns each | write, ns each |");
  console.log("| --- | --: | --: |");
  const rows = [["32 B × 32", 32, 32], ["32 B", 32, 1], ["16 KiB", 16 * KIB, 1], ["1 MiB", MIB, 1]];
  for (const [name, size, count] of rows as [string, number, number][]) {
    for (const [kind, filler] of [["ASCII", ascii], ["mixed", mixed]] as const) {
      const message = textOf(filler, size);
      const received = measure(receiver(framesOf(message, count), READ)) / count;
      const written = measure(writer(message, count)) / count;
      console.log(`| ${name}, ${kind} | ${received.toFixed(0)} | ${written.toFixed(0)} |`);
    }
  }
}

function piecesTable(): void {
  const sizes = [MIB, 16 * MIB];
  console.log(
    "\n| one text in pieces of | " + sizes.map((size) => `${size / MIB} MiB, ns/B |`).join(" "),
  );
  console.log("| --- |" + " --: |".repeat(sizes.length));
  for (const [kind, filler] of [["ASCII", ascii], ["mixed", mixed]] as const) {
    const frames = sizes.map((size) => framesOf(textOf(filler, size), 1));
    for (const piece of [1, 16, 256, 1000, 4 * KIB, 64 * KIB]) {
      const cells = frames.map((frame) => {
        return (measure(receiver(frame, piece), 20) / frame.length).toFixed(2);
      });
      console.log(`| ${piece} B, ${kind} | ${cells.join(" | ")} |`);
    }
  }
}

const { bun, deno, node } = process.versions;
console.log(
  `## draft75 and draft76 on ${deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`}\n`,
);
messagesTable();
piecesTable();
if (units === 0) throw new Error("Nothing was received");
