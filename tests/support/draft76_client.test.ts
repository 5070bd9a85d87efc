import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import { Draft76Client, type Draft76Options, makeKey, makeRequest } from "./draft76_client.ts";

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs `body` with the port of a server that sends `answer` and FIN to every client. */
async function answering(answer: Uint8Array, body: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.resume().end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  try {
    await body(address && typeof address === "object" ? address.port : 0);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const url = "ws://example.com/websocket?a=b";
const subprotocol = "a, b";
const optionsFor = (port: number): Draft76Options => ({
  port,
  url,
  subprotocol,
  random: randomFrom(76),
});

/** A valid response to the request of {@linkcode optionsFor}. */
const goodHead = [
  "HTTP/1.1 101 WebSocket Protocol Handshake",
  "Upgrade: WebSocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Origin: http://example.com",
  "Sec-WebSocket-Location: ws://example.com/websocket?a=b",
  "Sec-WebSocket-Protocol: a, b",
  "",
  "",
].join("\r\n");
const { challengeResponse } = makeRequest(optionsFor(0));

function answer(head: string, response: Uint8Array = challengeResponse): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode(head), ...response]);
}

const wrong = Uint8Array.from(challengeResponse, (byte, index) => index === 15 ? byte ^ 1 : byte);

/** Responses that a client must reject (W76), each with a part of the error message. */
const bad: readonly (readonly [what: string, answer: Uint8Array, reason: string])[] = [
  ["a status of 200", answer(goodHead.replace(" 101 ", " 200 ")), "status line"],
  ["no reason phrase", answer(goodHead.replace(/ 101 .*/, " 101")), "status line"],
  ["upgrade in lower case", answer(goodHead.replace(": WebSocket", ": websocket")), "upgrade"],
  ["no Upgrade", answer(goodHead.replace("Upgrade: WebSocket\r\n", "")), "upgrade"],
  ["another Connection", answer(goodHead.replace(": Upgrade", ": close")), "connection"],
  ["another origin", answer(goodHead.replace("http:", "https:")), "sec-websocket-origin"],
  ["no query", answer(goodHead.replace("?a=b", "")), "sec-websocket-location"],
  ["a part of the subprotocol", answer(goodHead.replace("a, b", "a")), "sec-websocket-protocol"],
  ["two locations", answer(goodHead.replace(/(Sec-WebSocket-L.*\r\n)/, "$1$1")), "location"],
  ["a field with no name", answer(goodHead.replace("Upgrade:", ":")), "no name"],
  ["a line without a colon", answer(goodHead.replace("Upgrade:", "Upgrade")), "no name"],
  ["a bare LF", answer(goodHead.replace("\r\n", "\n")), "stray CR or LF"],
  ["another challenge response", answer(goodHead, wrong), "challenge response"],
  ["15 bytes of it", answer(goodHead, challengeResponse.subarray(1)), "16 bytes"],
  ["nothing", new Uint8Array(), "the peer ended the connection"],
];

describe("the draft76 client of the tests", () => {
  test("makes keys by the draft's steps", () => {
    const random = randomFrom(1);
    for (let count = 0; count < 1000; count++) {
      const { key, number } = makeKey(random);
      const spaces = key.split(" ").length - 1;
      assertEquals(Number(key.replace(/[^0-9]/g, "")), number * spaces, key);
      assertMatch(key, /^[!-~][ -~]*[!-~]$/, "no space first or last");
      const fillers = key.replace(/[ 0-9]/g, "").length;
      assertEquals([spaces, fillers].map((n) => n >= 1 && n <= 12), [true, true], key);
    }
  });

  test("shuffles its fields", () => {
    const random = randomFrom(2);
    const heads = Array.from({ length: 50 }, () => makeRequest({ port: 80, random }).head);
    const firsts = new Set(heads.map((head) => /\r\n([^:]+):/.exec(head)?.[1]));
    assertEquals(firsts.size, 6);
  });

  test("takes a good answer", () =>
    answering(answer(goodHead), async (port) => {
      const client = await Draft76Client.connect(optionsFor(port));
      await client.destroy();
    }));

  for (const [what, bytes, reason] of bad) {
    test(`refuses ${what}`, () =>
      answering(bytes, async (port) => {
        const error = await assertRejects(() => Draft76Client.connect(optionsFor(port)));
        assertStringIncludes(String(error.cause), reason);
      }));
  }
});
