/**
 * Measures the opening handshake without a network, and prints Markdown:
 *
 * ```sh
 * deno run -A tests/bench/handshake.bench.ts
 * bun tests/bench/handshake.bench.ts
 * node tests/bench/handshake.bench.ts
 * ```
 *
 * "Read" makes a `RequestHead` from bytes. "Check" finds the version and checks its rules. "Answer"
 * makes the bytes of the 101 response (in draft76, with the response to the challenge). Then heads of
 * one to sixteen kilobytes are read in pieces: a byte should cost the same in each head, and less in
 * larger pieces.
 *
 * @module
 */
import process from "node:process";
import { checkDraft75, draft75Response } from "../../src/handshake/draft75.ts";
import { challengeResponse } from "../../src/handshake/challenge.ts";
import { checkDraft76, draft76Response } from "../../src/handshake/draft76.ts";
import { webSocketLocation } from "../../src/handshake/web_socket_url.ts";
import { parseExtensions } from "../../src/handshake/extensions.ts";
import { requestReader } from "../../src/handshake/request_line.ts";
import { writeLatin1 } from "../../src/handshake/latin1.ts";
import { sameOrigin } from "../../src/handshake/origin.ts";
import { negotiateDeflate } from "../../src/handshake/permessage_deflate.ts";
import type { RequestHead } from "../../src/handshake/request_head.ts";
import { checkRfc6455, originOf, writeRfc6455Response } from "../../src/handshake/rfc6455.ts";
import { detectVersion, WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { Output } from "../../src/protocol/output.ts";
import { latin1Bytes } from "../support/bytes.ts";

const CHROME = "GET /websocket?room=1 HTTP/1.1\r\n" +
  "Host: localhost:8888\r\n" +
  "Connection: Upgrade\r\n" +
  "Pragma: no-cache\r\n" +
  "Cache-Control: no-cache\r\n" +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
  "Chrome/156.0.0.0 Safari/537.36\r\n" +
  "Upgrade: websocket\r\n" +
  "Origin: http://localhost:8888\r\n" +
  "Sec-WebSocket-Version: 13\r\n" +
  "Accept-Encoding: gzip, deflate, br, zstd\r\n" +
  "Accept-Language: en-US,en;q=0.9\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const HIXIE = "GET /websocket?room=1 HTTP/1.1\r\n" +
  "Upgrade: WebSocket\r\n" +
  "Connection: Upgrade\r\n" +
  "Host: localhost:8888\r\n" +
  "Origin: http://localhost:8888\r\n";
const DRAFT75 = `${HIXIE}\r\n`;
const DRAFT76 = `${HIXIE}Sec-WebSocket-Key1: 651  a 91     6832\r\n` +
  "Sec-WebSocket-Key2: G 25(4?t  !  2 k 7sF3  1hN300\r\n\r\n";
const KEY3 = latin1Bytes("\x3b\x3f\x2a\xe8\x87\x5c\xff\x98");

const limits = { maxHeaderSize: 65536, maxHeaderCount: 1000 };
const output = new Uint8Array(1024);
const response = new Output();
let used = 0;

/** Nanoseconds per run: the lowest of nine measurements of 40 ms, after 200 ms of warm-up. */
function measure(run: () => unknown): number {
  spanOf(run, 200);
  return Math.min(...Array.from({ length: 9 }, () => spanOf(run, 40)));
}

function spanOf(run: () => unknown, milliseconds: number): number {
  const start = performance.now();
  let runs = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 100; i++) if (run() !== undefined) used++;
    runs += 100;
    elapsed = performance.now() - start;
  } while (elapsed < milliseconds);
  return elapsed * 1e6 / runs;
}

function read(bytes: Uint8Array): RequestHead {
  const head = requestReader(limits).read(bytes);
  if (head === undefined) throw new Error("The head is incomplete");
  return head;
}

function location(head: RequestHead): string {
  return webSocketLocation("ws", head);
}

/** A version's handshake in its three steps. */
interface Steps {
  readonly request: string;
  check(head: RequestHead): unknown;
  answer(head: RequestHead): unknown;
}

const versions: Record<string, Steps> = {
  "rfc6455 (Chromium 156)": {
    request: CHROME,
    check: (head) => {
      const version = detectVersion(head, WEBSOCKET_VERSIONS);
      checkRfc6455(head);
      return version;
    },
    answer: (head) => {
      const key = head.get("sec-websocket-key") ?? "";
      response.clear();
      writeRfc6455Response(response, { key });
      return response.length;
    },
  },
  draft76: {
    request: DRAFT76,
    check: (head) => {
      detectVersion(head, WEBSOCKET_VERSIONS);
      return checkDraft76(head);
    },
    answer: (head) => {
      const origin = head.get("origin") ?? "";
      writeLatin1(draft76Response({ origin, location: location(head) }), output);
      return challengeResponse({ part1: 155712099, part2: 173347027 }, KEY3);
    },
  },
  draft75: {
    request: DRAFT75,
    check: (head) => {
      checkDraft75(head);
      return detectVersion(head, WEBSOCKET_VERSIONS);
    },
    answer: (head) => {
      const origin = head.get("origin") ?? "";
      return writeLatin1(draft75Response({ origin, location: location(head) }), output);
    },
  },
};

function versionsTable(): void {
  console.log("| handshake | head, B | read, ns | check, ns | answer, ns | all, ns |");
  console.log("| --- | --: | --: | --: | --: | --: |");
  for (const [name, { request, check, answer }] of Object.entries(versions)) {
    const bytes = latin1Bytes(request);
    const head = read(bytes);
    // The fields of this head are located, as in a head that was just read.
    head.get("host");
    const cells = [
      bytes.length,
      measure(() => read(bytes)),
      measure(() => check(head)),
      measure(() => answer(head)),
      measure(() => {
        const head = read(bytes);
        check(head);
        return answer(head);
      }),
    ];
    console.log(`| ${name} | ${cells.map((cell) => cell.toFixed(0)).join(" | ")} |`);
  }
}

function partsTable(): void {
  const head = read(latin1Bytes(CHROME));
  const extensions = head.get("sec-websocket-extensions") ?? "";
  const parts: Record<string, () => unknown> = {
    "get a field": () => head.get("sec-websocket-version"),
    "host": () => head.host,
    "path": () => head.path,
    "originOf and sameOrigin": () => sameOrigin(originOf(head, "rfc6455") ?? "", "http", head.host),
    "parse the extensions": () => parseExtensions(extensions),
    "and negotiate": () =>
      negotiateDeflate(parseExtensions(extensions), { contextTakeover: false })?.response,
    "toHeaders": () => head.toHeaders(),
    "toRequest": () => head.toRequest("http"),
  };
  console.log("\n| a part | ns |");
  console.log("| --- | --: |");
  for (const [name, run] of Object.entries(parts)) {
    console.log(`| ${name} | ${measure(run).toFixed(0)} |`);
  }
}

function headOfSize(size: number): Uint8Array {
  const start = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  const fields = Math.floor((size - start.length - 2) / 64);
  return latin1Bytes(`${start}${`X-Field: ${"v".repeat(53)}\r\n`.repeat(fields)}\r\n`);
}

function piecesTable(): void {
  const sizes = [1024, 4096, 16384];
  console.log(`\n| in pieces of | ${sizes.map((size) => `${size} B, ns/B |`).join(" ")}`);
  console.log(`| --- |${" --: |".repeat(sizes.length)}`);
  for (const piece of [1, 16, 256, 16384]) {
    const cells = sizes.map((size) => {
      const bytes = headOfSize(size);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece));
      const cost = measure(() => {
        const reader = requestReader(limits);
        let head;
        for (const bytes of pieces) head = reader.read(bytes);
        return head;
      });
      return (cost / bytes.length).toFixed(2);
    });
    console.log(`| ${piece} B | ${cells.join(" | ")} |`);
  }
}

const { bun, deno, node } = process.versions;
console.log(
  `## The handshake on ${deno ? `Deno ${deno}` : bun ? `Bun ${bun}` : `Node ${node}`}\n`,
);
versionsTable();
partsTable();
piecesTable();
if (used === 0) throw new Error("Nothing was done");
