import { describe, test } from "node:test";
import { DEFLATE_CASES, WITHOUT_RSV1 } from "../protocol/deflate_cases.ts";
import { bytes } from "../protocol/hixie_cases.ts";
import { chopped } from "../protocol/hixie_receive.ts";
import { HYBI_CASES } from "../protocol/hybi_cases.ts";
import { close, frame, type HybiCase } from "../protocol/hybi_frames.ts";
import { sized } from "../support/sizes.ts";
import type { CompressionOptions } from "../../src/connection/compression.ts";
import { HOSTS, type ServerOptions, withServer } from "./echo_server.ts";
import { assertReplies, type Compression, inflated, parseFrames } from "./server_frames.ts";
import { forAll, talk } from "./talk.ts";

/** The setup of a connection. */
interface Mode {
  readonly name: string;
  readonly fields: readonly string[];
  readonly options: CompressionOptions | undefined;
  /** How the server compresses messages, if it does. */
  readonly compression: Compression | undefined;
  /** The rows that are sent in every way. */
  readonly rows: readonly HybiCase[];
  /** Rows that are only sent whole. The tests of the protocol split them. */
  readonly whole: readonly HybiCase[];
}

const OFFER = ["Sec-WebSocket-Extensions: permessage-deflate"];

const MODES: readonly Mode[] = [
  {
    name: "without compression",
    fields: [],
    options: undefined,
    compression: undefined,
    rows: HYBI_CASES,
    whole: [],
  },
  {
    name: "with compression",
    fields: OFFER,
    options: { threshold: 0 },
    compression: { context: false },
    // Without context takeover, no message depends on the one before.
    rows: DEFLATE_CASES.filter(({ name }) => !/ before$|after one/.test(name)),
    whole: WITHOUT_RSV1,
  },
  {
    name: "with compression and context takeover",
    fields: OFFER,
    options: { threshold: 0, contextTakeover: true },
    compression: { context: true },
    rows: DEFLATE_CASES,
    whole: WITHOUT_RSV1,
  },
];

/** The rows by the limits that they need. Each set of limits needs a server. */
function byLimits(rows: readonly HybiCase[]): HybiCase[][] {
  const groups = new Map<string, HybiCase[]>();
  for (const row of rows) {
    const limits = `${row.maxMessageSize} ${row.maxFragments}`;
    groups.set(limits, [...groups.get(limits) ?? [], row]);
  }
  return [...groups.values()];
}

/** The longest input that is sent byte by byte. The tests of the protocol do it with all. */
const LONGEST = sized({ test: 40, soak: 300 });

/** A way to send a row: in which pieces, and what follows it. */
interface Way {
  readonly name: string;
  /** Whether all of a row is sent at once. */
  readonly isWhole?: boolean;
  /** The rows that can be sent in this way. */
  readonly suits: (row: HybiCase) => boolean;
  readonly pieces: (row: HybiCase) => Iterable<Uint8Array>;
  /** Changes a row for this way. */
  readonly becomes?: (row: HybiCase) => HybiCase;
}

/** Whether the server closes the connection. */
function isEnding({ events, error }: HybiCase): boolean {
  return error !== undefined || events.at(-1)?.[0] === "close";
}

/** Whether another frame may follow: the server goes on, and the bytes end with a complete frame. */
function isOpen(row: HybiCase): boolean {
  const { input } = row;
  let at = 0;
  while (at < input.length) {
    const second = (input[at + 1] ?? 0) & 0x7f;
    const begin = at + 6 + (second < 126 ? 0 : second === 126 ? 2 : 8);
    const length = input.subarray(at + 2, begin - 4).reduce((sum, byte) => sum * 256 + byte, 0);
    at = begin + (second < 126 ? second : length);
  }
  return !isEnding(row) && at === input.length;
}

function halves({ input }: HybiCase): Uint8Array[] {
  return [input.subarray(0, input.length >> 1), input.subarray(input.length >> 1)];
}

const WAYS: readonly Way[] = [
  { name: "whole", isWhole: true, suits: () => true, pieces: ({ input }) => [input] },
  { name: "in two writes", suits: () => true, pieces: halves },
  {
    name: "byte by byte",
    suits: ({ input }) => input.length <= LONGEST,
    pieces: ({ input }) => chopped(input, 1),
  },
  {
    name: "and closed by the client",
    isWhole: true,
    suits: isOpen,
    pieces: ({ input }) => [bytes(input, close(3000, "done"))],
    becomes: (row) => ({ ...row, events: [...row.events, ["close", 3000, "done"]] }),
  },
  {
    name: "up to the first byte that breaks a rule, before the rest is sent",
    suits: ({ error }) => error !== undefined,
    pieces: ({ input, error }) => [input.subarray(0, error?.after)],
  },
];

/** The ways of a host and a mode. How bytes are split is no matter of what listens, or of compression. */
function waysOf(host: ServerOptions["host"], { compression }: Mode): readonly Way[] {
  if (host === "http") return WAYS.slice(0, 1);
  if (compression === undefined) return WAYS;
  return sized({ test: WAYS.filter(({ isWhole }) => isWhole), soak: WAYS });
}

/** Which rows follow each other but in the first test, which has all of them. */
const STEP = sized({ test: 4, soak: 1 });

/** The rows of a test. */
function rowsOf(host: ServerOptions["host"], mode: Mode, way: Way): readonly HybiCase[] {
  const all = [...mode.rows, ...(way.isWhole ? mode.whole : [])].filter(way.suits);
  const isFirst = host === "listener" && mode === MODES[0] && way === WAYS[0];
  return isFirst ? all : all.filter((_, index) => index % STEP === 0);
}

async function runGroup(
  rows: readonly HybiCase[],
  { fields, options, compression }: Mode,
  { pieces, becomes = (row) => row }: Way,
  server: ServerOptions,
): Promise<void> {
  const [{ maxMessageSize = 0, maxFragments = 0 } = {}] = rows;
  const settings = { maxMessageSize, maxFragments, compression: options };
  await withServer(settings, (port) =>
    forAll(rows, async (sent) => {
      const row = becomes(sent);
      const conversation = { port, version: "rfc6455", fields, pieces: pieces(sent) } as const;
      const received = await talk({ ...conversation, fin: !isEnding(row) });
      if (compression === undefined) return assertReplies(received, row);
      const frames = inflated(parseFrames(received), compression);
      const plain = frames.map(({ first, payload }) =>
        frame({ opcode: first & 0x7f, payload, maskingKey: null })
      );
      assertReplies(bytes(...plain), row);
    }), server);
}

for (const host of HOSTS) {
  for (const mode of MODES) {
    describe(`RFC 6455 over a socket of the ${host} server, ${mode.name}`, () => {
      for (const way of waysOf(host, mode)) {
        const rows = rowsOf(host, mode, way);
        test(`${rows.length} rows, ${way.name}`, async () => {
          for (const group of byLimits(rows)) await runGroup(group, mode, way, { host });
        });
      }
    });
  }
}
