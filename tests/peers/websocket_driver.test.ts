import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { CLOSING_FRAME, parseResponse, textFrame } from "../support/draft76_client.ts";
import { echoOf, startEchoExample } from "../support/echo_example.ts";
import { RawClient } from "../support/raw_client.ts";
import { root, runtimes } from "../support/runtime.ts";
import { type Child, spawnScript } from "../support/spawn.ts";

interface Vector {
  readonly key1: string;
  readonly key2: string;
  readonly key3_hex: string;
  readonly response_hex: string;
}

/** The parts of a server's bytes that the draft prescribes, in order. */
interface Answer {
  readonly status: string;
  readonly fields: Readonly<Record<string, readonly string[]>>;
  readonly challengeResponse: string;
  /** All bytes after the challenge response, up to the end of the connection, split after each FF. */
  readonly frames: readonly string[];
}

const FIELDS = ["upgrade", "connection", "sec-websocket-origin", "sec-websocket-location"] as const;

const vectors = ["draft76_vectors", "draft76_vectors_generated"].flatMap((name): Vector[] =>
  JSON.parse(readFileSync(`${root}/tests/vectors/${name}.json`, "utf8"))
);

const texts: readonly string[] = [
  "",
  "Hello",
  "Ahoj, žluťoučký kůň; 日本語; 👋🏽",
  "\u0000\u007f\u0080\u07ff\u0800\uffff\u{10ffff}",
  "語".repeat(30_000),
];

/** Frames that every server must answer in the same way, and the echoes of the texts. */
const conversation: readonly { readonly sent: Uint8Array; readonly echoed: Uint8Array }[] = [
  ...texts.map((text) => ({ sent: textFrame(text), echoed: textFrame(echoOf(text)) })),
  // A server may go on after a frame of type 80 to FE, which it skips by its length. (The frame has no FF,
  // which would end it in websocket-driver.)
  { sent: Uint8Array.of(0x80, 0x03, 0x00, 0x41, 0xfe), echoed: new Uint8Array() },
  { sent: CLOSING_FRAME, echoed: CLOSING_FRAME },
];

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Bytes in hexadecimal, split after each FF. Long pieces are replaced by their hash. */
function pieces(bytes: Uint8Array): string[] {
  const cut = bytes.indexOf(0xff) + 1 || bytes.length;
  const piece = bytes.subarray(0, cut);
  const shown = cut < 100 ? hex(piece) : createHash("sha1").update(piece).digest("hex");
  return cut === bytes.length ? [shown] : [shown, ...pieces(bytes.subarray(cut))];
}

/** A request of fixed bytes, whatever the port of the server. */
function requestHead({ key1, key2 }: Vector): string {
  return [
    "GET /websocket?a=b HTTP/1.1",
    `Sec-WebSocket-Key2: ${key2}`,
    "Host: example.com",
    "Upgrade: WebSocket",
    "Origin: http://example.com",
    `Sec-WebSocket-Key1: ${key1}`,
    "Connection: Upgrade",
    "",
    "",
  ].join("\r\n");
}

/** Acts as the client, sends key3 with the head or after the 101, and records the bytes of the server. */
async function converse(port: number, vector: Vector, holdKey3: boolean): Promise<Answer> {
  const socket = await RawClient.connect({ port });
  try {
    socket.write(requestHead(vector));
    if (!holdKey3) socket.write(Buffer.from(vector.key3_hex, "hex"));
    const { statusLine, fields } = parseResponse(await socket.readThrough("\r\n\r\n"));
    if (holdKey3) socket.write(Buffer.from(vector.key3_hex, "hex"));
    const challengeResponse = hex(await socket.read(16));
    for (const { sent } of conversation) socket.write(sent);
    const frames = pieces(await socket.readToEnd());
    const values = (wanted: string) =>
      fields.filter(([name]) => name === wanted).map(([, value]) => value);
    return {
      status: statusLine.split(" ").slice(0, 2).join(" "),
      fields: Object.fromEntries(FIELDS.map((name) => [name, values(name)])),
      challengeResponse,
      frames,
    };
  } finally {
    await socket.destroy();
  }
}

/** The rows that the draft requires an answer to. */
function expected({ response_hex }: Vector): Answer {
  return {
    status: "HTTP/1.1 101",
    fields: {
      "upgrade": ["WebSocket"],
      "connection": ["Upgrade"],
      "sec-websocket-origin": ["http://example.com"],
      "sec-websocket-location": ["ws://example.com/websocket?a=b"],
    },
    challengeResponse: response_hex,
    frames: pieces(Buffer.concat(conversation.map(({ echoed }) => echoed))),
  };
}

/** The compared servers. */
const servers: Readonly<Record<string, () => Promise<{ child: Child; port: number }>>> = {
  ...Object.fromEntries(
    runtimes.map((name) => [`the echo example on ${name}`, () => startEchoExample(name)]),
  ),
  "websocket-driver 0.7.4": async () => {
    const child = spawnScript("tests/peers/websocket_driver.ts", [echoOf("")], { runtime: "node" });
    const [, port] = await child.waitFor(/^ready (\d+)$/m);
    return { child, port: Number(port) };
  },
};

describe("the bytes that draft76 prescribes are sent by", () => {
  for (const [name, start] of Object.entries(servers)) {
    test(name, async () => {
      const { child, port } = await start();
      try {
        for (const vector of vectors) {
          const wanted = expected(vector);
          const { key1 } = vector;
          assertEquals(await converse(port, vector, false), wanted, `key3 at once, ${key1}`);
          assertEquals(await converse(port, vector, true), wanted, `key3 after the 101, ${key1}`);
        }
      } finally {
        await child.stop();
      }
    });
  }
});
