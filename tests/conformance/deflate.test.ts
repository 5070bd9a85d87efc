import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { constants, createDeflateRaw, deflateRawSync } from "node:zlib";
import type { CompressionOptions } from "../../src/connection/compression.ts";
import { bytes } from "../protocol/hixie_cases.ts";
import { dice } from "../protocol/hixie_receive.ts";
import { frame } from "../protocol/hybi_frames.ts";
import { sized } from "../support/sizes.ts";
import { withServer } from "./echo_server.ts";
import { assertBytes, inflated, parseFrames } from "./server_frames.ts";
import { forAll, open } from "./talk.ts";

/** An offer of a client, and the responses of a server with and without context takeover. */
interface Agreement {
  readonly name: string;
  readonly offers: readonly string[];
  readonly kept: string;
  readonly alone: string;
}

const NO_CONTEXT = "; server_no_context_takeover; client_no_context_takeover";
/** The beginning of every offer of the Autobahn suite. */
const AUTOBAHN = "; client_no_context_takeover; client_max_window_bits";

function agreement(
  name: string,
  offers: readonly string[],
  answers: readonly [kept: string, alone: string],
): Agreement {
  const [kept, alone] = answers.map((answer) => `permessage-deflate${answer}`);
  const whole = offers.map((offer) => `permessage-deflate${offer}`);
  return { name, offers: whole, kept: kept ?? "", alone: alone ?? "" };
}

const SERVER_9 = `${AUTOBAHN}; server_max_window_bits=9`;
const SERVER_9_NO_CONTEXT = `${AUTOBAHN}; server_no_context_takeover; server_max_window_bits=9`;

const AGREEMENTS: readonly Agreement[] = [
  agreement("AB 12, 13.1", [AUTOBAHN], ["; client_no_context_takeover", NO_CONTEXT]),
  agreement("AB 13.2", [`${AUTOBAHN}; server_no_context_takeover`], [NO_CONTEXT, NO_CONTEXT]),
  agreement("AB 13.3", [SERVER_9], [
    "; client_no_context_takeover; server_max_window_bits=9",
    `${NO_CONTEXT}; server_max_window_bits=9`,
  ]),
  agreement("AB 13.4", [`${AUTOBAHN}; server_max_window_bits=15`], [
    "; client_no_context_takeover; server_max_window_bits=15",
    `${NO_CONTEXT}; server_max_window_bits=15`,
  ]),
  agreement("AB 13.5", [SERVER_9_NO_CONTEXT], [
    `${NO_CONTEXT}; server_max_window_bits=9`,
    `${NO_CONTEXT}; server_max_window_bits=9`,
  ]),
  agreement("AB 13.6", [`${AUTOBAHN}; server_no_context_takeover; server_max_window_bits=15`], [
    `${NO_CONTEXT}; server_max_window_bits=15`,
    `${NO_CONTEXT}; server_max_window_bits=15`,
  ]),
  agreement(
    "AB 13.7: three offers in one header",
    [SERVER_9_NO_CONTEXT, `${AUTOBAHN}; server_no_context_takeover`, AUTOBAHN],
    [`${NO_CONTEXT}; server_max_window_bits=9`, `${NO_CONTEXT}; server_max_window_bits=9`],
  ),
  agreement("Firefox", [""], ["", NO_CONTEXT]),
  agreement("Chrome", ["; client_max_window_bits"], ["", NO_CONTEXT]),
  agreement("small windows", ["; client_max_window_bits=9; server_max_window_bits=10"], [
    "; server_max_window_bits=10; client_max_window_bits=9",
    `${NO_CONTEXT}; server_max_window_bits=10; client_max_window_bits=9`,
  ]),
];

/** Messages of one kind, of any size, like AB 12.1 to 12.5: JSON, a picture, prose, HTML, noise. */
const CONTENTS: readonly { readonly name: string; readonly unit: (index: number) => string }[] = [
  { name: "JSON", unit: (i) => JSON.stringify({ id: i, name: `user ${i * 7919 % 997}` }) },
  { name: "a picture", unit: (i) => String.fromCharCode(64 + Math.round(60 * Math.sin(i / 9))) },
  {
    name: "prose",
    unit: (i) => i % 3 ? "Habe nun, ach! Philosophie, " : "Juristerei und Medizin ",
  },
  {
    name: "HTML",
    unit: (i) => `<li class="item" id="item-${i}"><a href="#${i}">Nº ${i}</a></li>\n`,
  },
  { name: "noise", unit: () => String.fromCharCode(0x80 + random(0x700)) },
];
const random = dice(7692);

/** The sizes of messages, and the size of a frame for fragmented messages. */
const SIZES: readonly (readonly [size: number, fragment?: number])[] = [
  ...[[0], [1], [16], [64], [256], [1024], [4096], [8192], [16384], [32768]] as const,
  ...[[8192, 256], [16384, 1000], [65536], [131072, 256], [131072]] as const,
];

function messageOf({ unit }: (typeof CONTENTS)[number], size: number): Uint8Array {
  let text = "";
  for (let i = 0; text.length < size; i++) text += unit(i);
  return new TextEncoder().encode(text).subarray(0, size);
}

/** The value of a parameter in a response. */
function windowBits(answer: string, parameter: string): number {
  return Number(new RegExp(`${parameter}=(\\d+)`).exec(answer)?.[1] ?? 15);
}

/** Compresses messages with the parameters of a response, without their tails. */
async function deflateAll(
  messages: readonly Uint8Array[],
  answer: string,
): Promise<readonly Uint8Array[]> {
  const options = { windowBits: windowBits(answer, "client_max_window_bits") };
  if (answer.includes("client_no_context_takeover")) {
    const sync = { ...options, finishFlush: constants.Z_SYNC_FLUSH };
    return messages.map((message) => bytes(deflateRawSync(message, sync)).slice(0, -4));
  }
  const stream = createDeflateRaw(options);
  let parts: Uint8Array[] = [];
  stream.on("data", (part: Uint8Array) => parts.push(new Uint8Array(part)));
  const deflated: Uint8Array[] = [];
  for (const message of messages) {
    stream.write(message);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    deflated.push(bytes(...parts).slice(0, -4));
    parts = [];
  }
  stream.destroy();
  return deflated;
}

/** A compressed binary message, in frames of `size` bytes. */
function framesOf(payload: Uint8Array, size: number): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at === 0 || at < payload.length; at += size) {
    const part = payload.subarray(at, at + size);
    frames.push(
      frame({ opcode: at === 0 ? 0x42 : 0, fin: at + size >= payload.length, payload: part }),
    );
  }
  return bytes(...frames);
}

interface Row {
  readonly name: string;
  readonly agreed: Agreement;
  readonly content: (typeof CONTENTS)[number];
}

/** How many kinds of messages each agreement meets. Each kind meets the same number of agreements. */
const KINDS = sized({ test: 1, soak: CONTENTS.length });

const ROWS: readonly Row[] = AGREEMENTS.flatMap((agreed, index) =>
  CONTENTS.filter((_, kind) => (kind + index) % CONTENTS.length < KINDS)
    .map((content) => ({ name: `${agreed.name}: ${content.name}`, agreed, content }))
);

/** Sends messages of every size, and compares the echoes. */
async function echoAll(
  port: number,
  { agreed, content }: Row,
  expected: string,
): Promise<void> {
  const fields = [`Sec-WebSocket-Extensions: ${agreed.offers.join(", ")}`];
  const { client, answer } = await open(port, "rfc6455", fields);
  const extension = /^Sec-WebSocket-Extensions: (.*)\r$/m.exec(answer)?.[1] ?? "";
  assertEquals(extension, expected);
  // The largest messages of the other agreements would find nothing more.
  const sizes = content.name === "JSON" ? SIZES : SIZES.slice(0, -3);
  const messages = sizes.map(([size]) => messageOf(content, size));
  const deflated = await deflateAll(messages, extension);
  for (const [index, payload] of deflated.entries()) {
    client.write(framesOf(payload, sizes[index]?.[1] ?? Infinity));
  }
  client.end();
  const frames = inflated(parseFrames(await client.readToEnd()), {
    context: !extension.includes("server_no_context_takeover"),
    windowBits: windowBits(extension, "server_max_window_bits"),
  });
  assertEquals(frames.map(({ first }) => first), messages.map(() => 0x82));
  for (const [index, { payload }] of frames.entries()) {
    assertBytes(payload, messages[index] ?? bytes());
  }
  await client.destroy();
}

describe("compressed messages of every size and kind, with every agreement", () => {
  const servers: [name: string, options: CompressionOptions, answer: "kept" | "alone"][] = [
    ["each alone", {}, "alone"],
    ["each alone, also the shortest", { threshold: 0, level: 1, memLevel: 1 }, "alone"],
    ["with context takeover", { contextTakeover: true }, "kept"],
    ["with context takeover, also the shortest", { contextTakeover: true, threshold: 0 }, "kept"],
  ];
  for (const [name, compression, answer] of servers) {
    test(
      name,
      () =>
        withServer(
          { compression },
          (port) => forAll(ROWS, (row) => echoAll(port, row, row.agreed[answer])),
        ),
    );
  }
});
