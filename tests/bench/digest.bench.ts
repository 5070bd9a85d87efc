/**
 * Compares the digests of the two opening handshakes with `hash-wasm` and `node:crypto`. Run this file
 * with `deno run -A`, `bun run` or `node`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, hash } from "node:crypto";
import process from "node:process";
import { createMD5, createSHA1 } from "hash-wasm";
import { acceptKey, challengeDigest } from "../../src/digest/handshake_digests.ts";

/** How often each subject is measured, alternating with the others. */
const REPETITIONS = 101;
/** Operations in one measurement. */
const OPERATIONS = 4000;
/** How many different inputs the operations use in turn. */
const INPUTS = 64;

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

interface Challenge {
  readonly part1: number;
  readonly part2: number;
  readonly key3: Uint8Array;
}

interface Subject<Input, Output> {
  readonly name: string;
  readonly run: (input: Input) => Output;
}

const challenges: Challenge[] = Array.from({ length: INPUTS }, (_, i) => ({
  part1: (906585445 + i * 7777777) % 2 ** 32,
  part2: (3179922739 + i * 55555555) % 2 ** 32,
  key3: Uint8Array.from({ length: 8 }, (_, j) => i * 31 + j * 7),
}));

// A key is a substring of the request's head, as in a handshake.
const keys: string[] = Array.from({ length: INPUTS }, (_, i) => {
  const key = createHash("md5").update(String(i)).digest("base64");
  return `GET / HTTP/1.1\r\nSec-WebSocket-Key: ${key}\r\n\r\n`.slice(35, 59);
});

function challengeMessage({ part1, part2, key3 }: Challenge): Buffer {
  const message = Buffer.allocUnsafe(16);
  message.writeUInt32BE(part1, 0);
  message.writeUInt32BE(part2, 4);
  message.set(key3, 8);
  return message;
}

const [hashWasmMd5, hashWasmSha1] = [await createMD5(), await createSHA1()];

const challengeSubjects: Subject<Challenge, Uint8Array>[] = [
  {
    name: "Waterspout",
    run: ({ part1, part2, key3 }) => challengeDigest(part1, part2, key3),
  },
  {
    name: "hash-wasm",
    run: (challenge) => hashWasmMd5.init().update(challengeMessage(challenge)).digest("binary"),
  },
  {
    name: "node:crypto createHash",
    run: (challenge) => createHash("md5").update(challengeMessage(challenge)).digest(),
  },
  {
    name: "node:crypto hash",
    run: (challenge) => hash("md5", challengeMessage(challenge), "buffer"),
  },
];

const acceptSubjects: Subject<string, string>[] = [
  { name: "Waterspout", run: acceptKey },
  {
    name: "hash-wasm",
    run: (key) =>
      Buffer.from(hashWasmSha1.init().update(key + GUID).digest("binary")).toString("base64"),
  },
  {
    name: "node:crypto createHash",
    run: (key) => createHash("sha1").update(key + GUID).digest("base64"),
  },
  { name: "node:crypto hash", run: (key) => hash("sha1", key + GUID, "base64") },
];

/** Measures once. Returns nanoseconds per operation. */
function measure<Input>(run: (input: Input) => string | Uint8Array, inputs: Input[]): number {
  let length = 0;
  const start = performance.now();
  for (let i = 0; i < OPERATIONS; i += inputs.length) {
    for (const input of inputs) length += run(input).length;
  }
  const elapsed = performance.now() - start;
  if (length === 0) throw new Error("Cannot measure digests that are empty");
  return elapsed / OPERATIONS * 1e6;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

/** Checks that the subjects agree, measures them in turn, and prints a table. */
function compare<Input, Output extends string | Uint8Array>(
  title: string,
  subjects: Subject<Input, Output>[],
  inputs: Input[],
): void {
  for (const input of inputs) {
    const [ours, ...others] = subjects.map(({ run }) => [...run(input)].join());
    if (others.some((other) => other !== ours)) throw new Error(`Cannot compare: ${ours} differs`);
  }
  const times = subjects.map(() => [] as number[]);
  for (let i = 0; i < REPETITIONS; i++) {
    subjects.forEach(({ run }, at) => times[at]?.push(measure(run, inputs)));
  }
  const medians = times.map(median);
  const rows = subjects.map(({ name }, at) => {
    const time = medians[at] ?? NaN;
    return `| ${name} | ${time.toFixed(0)} | ${(time / (medians[0] ?? NaN)).toFixed(2)} |`;
  });
  console.log([`| ${title} | ns | × ours |`, "|---|--:|--:|", ...rows, ""].join("\n"));
}

const { deno, bun, node } = process.versions;
console.log(deno ? `Deno ${deno}\n` : bun ? `Bun ${bun}\n` : `Node ${node}\n`);
compare("MD5 of a challenge", challengeSubjects, challenges);
compare("accept key", acceptSubjects, keys);
