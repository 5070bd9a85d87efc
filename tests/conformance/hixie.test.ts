import { describe, test } from "node:test";
import {
  bytes,
  hex,
  type HixieCase,
  hixieCases,
  type HixieEvent,
  type HixieVersion,
  textFrame,
} from "../protocol/hixie_cases.ts";
import { chopped } from "../protocol/hixie_receive.ts";
import { HOSTS, type ServerOptions, withServer } from "./echo_server.ts";
import { assertBytes } from "./server_frames.ts";
import { forAll, talk } from "./talk.ts";

/** The bytes that an echo server sends for an event. An error just closes the connection. */
function replyTo([kind, value]: HixieEvent): Uint8Array {
  if (kind === "text") return textFrame(value);
  return kind === "close" ? hex("FF 00") : bytes();
}

/** Whether the server closes the connection. */
function isEnding({ events }: HixieCase): boolean {
  return events.length > 0 && events.at(-1)?.[0] !== "text";
}

/** Whether the bytes end with a complete frame, so that another may follow. */
function isComplete(sent: Uint8Array): boolean {
  let at = 0;
  while (at < sent.length) {
    if ((sent[at++] ?? 0) < 0x80) {
      at = sent.indexOf(0xff, at) + 1;
      if (at === 0) return false;
      continue;
    }
    let length = 0;
    for (let more = true; more; at++) {
      const digit = sent[at] ?? 0;
      length = length * 128 + (digit & 0x7f);
      more = digit >= 0x80;
    }
    at += length;
  }
  return at === sent.length;
}

interface Way {
  readonly name: string;
  readonly suits: (row: HixieCase) => boolean;
  readonly pieces: (sent: Uint8Array) => Iterable<Uint8Array>;
}

const always = () => true;
const WAYS: readonly Way[] = [
  { name: "whole", suits: always, pieces: (sent) => [sent] },
  {
    name: "in two writes",
    suits: always,
    pieces: (sent) => [sent.subarray(0, sent.length >> 1), sent.subarray(sent.length >> 1)],
  },
  {
    name: "byte by byte",
    suits: ({ bytes }) => bytes.length <= 64,
    pieces: (sent) => chopped(sent, 1),
  },
];

async function run(
  version: HixieVersion,
  rows: readonly HixieCase[],
  way: Way,
  server: ServerOptions = {},
): Promise<void> {
  for (const maxMessageSize of new Set(rows.map((row) => row.maxMessageSize))) {
    const limited = rows.filter((row) => row.maxMessageSize === maxMessageSize);
    await withServer({ maxMessageSize }, (port) =>
      forAll(limited, async (row) => {
        const pieces = way.pieces(row.bytes);
        const received = await talk({ port, version, pieces, fin: !isEnding(row) });
        assertBytes(received, bytes(...row.events.map(replyTo)));
      }), server);
  }
}

for (const version of ["draft75", "draft76"] as const) {
  describe(`${version} over a socket`, () => {
    const rows = hixieCases.filter(({ versions }) => versions.includes(version));
    for (const host of HOSTS) {
      for (const way of WAYS) {
        const suitable = rows.filter(way.suits);
        test(`${suitable.length} rows, ${way.name}, of the ${host} server`, () =>
          run(version, suitable, way, { host }));
      }
    }

    if (version === "draft76") {
      const complete = rows.filter((row) => !isEnding(row) && isComplete(row.bytes));
      test(`${complete.length} rows, and closed by the client`, async () => {
        const closed = complete.map((row): HixieCase => ({
          ...row,
          bytes: bytes(row.bytes, hex("FF 00")),
          events: [...row.events, ["close"]],
        }));
        const whole: Way = { name: "", suits: always, pieces: (sent) => [sent] };
        await run(version, closed, whole);
      });
    }
  });
}
