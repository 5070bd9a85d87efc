/**
 * What the tests of the client share: answers to its requests, fed in every way that a network may
 * cut them, and servers of which a test says every byte.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { type ClientHandshake, makeHandshake } from "../../src/client/handshake.ts";
import type { HandshakeError } from "../../src/client/handshake_error.ts";
import { Opening } from "../../src/client/client_opening.ts";
import {
  type ConnectOptions,
  resolveOptions,
  toHandshakeRequest,
} from "../../src/client/options.ts";
import type { ResponseHead } from "../../src/client/response_head.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../../src/handshake/versions.ts";
import { everyWay, textOf } from "../handshake/support.ts";

/** All versions. */
export const VERSIONS: readonly WebSocketVersion[] = WEBSOCKET_VERSIONS;
/** Those with close codes, pings and binary messages. */
export const HYBI: readonly WebSocketVersion[] = ["rfc6455", "hybi-08", "hybi-07"];
/** Those without. */
export const HIXIE: readonly WebSocketVersion[] = ["draft76", "draft75"];

/** A request of a client, taken apart. */
export interface SentRequest {
  /** The request line. */
  readonly line: string;
  /** The field lines. */
  readonly lines: readonly string[];
  /** What is behind the head. */
  readonly rest: string;
}

/** Takes a request apart. */
export function parseRequest(bytes: Uint8Array): SentRequest {
  const text = textOf(bytes);
  const end = text.indexOf("\r\n\r\n");
  const [line = "", ...lines] = text.slice(0, end).split("\r\n");
  return { line, lines, rest: text.slice(end + 4) };
}

/** The value of a request's field. */
export function valueOf({ lines }: SentRequest, name: string): string {
  const prefix = `${name}: `;
  return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? "";
}

/** The `Sec-WebSocket-Accept` for a request, by other means than those under test. */
export function acceptOf(request: SentRequest): string {
  const key = valueOf(request, "Sec-WebSocket-Key");
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** The 16 bytes for a request of draft76, by other means than those under test. */
export function proofOf(request: SentRequest): string {
  const challenge = new DataView(new ArrayBuffer(16));
  ["Sec-WebSocket-Key1", "Sec-WebSocket-Key2"].forEach((name, i) => {
    const key = valueOf(request, name);
    challenge.setUint32(4 * i, Number(key.replace(/\D/g, "")) / (key.split(" ").length - 1));
  });
  for (let i = 0; i < 8; i++) challenge.setUint8(8 + i, request.rest.charCodeAt(i));
  return textOf(createHash("md5").update(new Uint8Array(challenge.buffer)).digest());
}

/** The answer of a good server, a character for each byte, without what a version has behind it. */
export function goodHead(version: WebSocketVersion, request: SentRequest): string {
  const [, resource = ""] = request.line.split(" ");
  const location = `ws://${valueOf(request, "Host")}${resource}`;
  const origin = valueOf(request, "Origin");
  const secure = version === "draft76" ? "Sec-" : "";
  const subprotocol = valueOf(request, `${secure}WebSocket-Protocol`);
  const lines = HYBI.includes(version)
    ? [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${acceptOf(request)}`,
    ]
    : [
      `HTTP/1.1 101 Web${version === "draft75" ? " " : ""}Socket Protocol Handshake`,
      "Upgrade: WebSocket",
      "Connection: Upgrade",
      `${secure}WebSocket-Origin: ${origin}`,
      `${secure}WebSocket-Location: ${location}`,
      ...(subprotocol === "" ? [] : [`${secure}WebSocket-Protocol: ${subprotocol}`]),
    ];
  return [...lines, "", ""].join("\r\n");
}

/** The whole answer of a good server. */
export function goodAnswer(version: WebSocketVersion, request: SentRequest): string {
  const proof = version === "draft76" ? proofOf(request) : "";
  return goodHead(version, request) + proof;
}

/** The bytes of a text whose characters are bytes. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** What came of an answer. */
export type Outcome =
  | { readonly head: ResponseHead; readonly subprotocol: string | undefined; readonly rest: string }
  | { readonly error: HandshakeError }
  | "waiting";

/** A handshake under test. */
export class Subject {
  readonly version: WebSocketVersion;
  readonly href: string;
  readonly handshake: ClientHandshake;
  readonly request: SentRequest;
  readonly #options: ConnectOptions;

  constructor(url: string, options: ConnectOptions = {}) {
    const asked = toHandshakeRequest({ url }, options);
    this.version = asked.version;
    this.href = asked.target.href;
    this.handshake = makeHandshake(asked);
    this.request = parseRequest(this.handshake.request);
    this.#options = options;
  }

  /** The head of a good answer. */
  get head(): string {
    return goodHead(this.version, this.request);
  }

  /** A good answer. */
  get answer(): string {
    return goodAnswer(this.version, this.request);
  }

  /** Feeds pieces of an answer, and then the end of the connection if it is to end. */
  feed(pieces: readonly Uint8Array[], ends: boolean): Outcome {
    let outcome: Outcome = "waiting";
    let behind = "";
    const opening = new Opening(this.href, this.handshake, {
      limits: resolveOptions(this.#options),
      events: {
        opened: ({ head, agreement: { subprotocol }, rest }) =>
          outcome = { head, subprotocol, rest: textOf(rest) },
        refused: (error) => outcome = { error },
      },
    });
    for (const piece of pieces) {
      if (outcome !== "waiting") behind += textOf(piece);
      else {
        const chunk = piece.slice();
        opening.data(chunk);
        chunk.fill(0x23); // It is only valid during the call.
      }
    }
    if (ends && outcome === "waiting") opening.end();
    const final = outcome as Outcome;
    return final !== "waiting" && "rest" in final ? { ...final, rest: final.rest + behind } : final;
  }

  /** Feeds an answer in every way, checks that all come to the same, and returns it. */
  feedEveryWay(answer: string, { ends = false } = {}): Outcome {
    const bytes = bytesOf(answer);
    const whole = this.feed([bytes], ends);
    const expected = describe(whole);
    for (const pieces of everyWay(bytes)) {
      const found = describe(this.feed(pieces, ends));
      if (found === expected) continue;
      assertEquals(found, expected, `in pieces of ${pieces.map(({ length }) => length).join("+")}`);
    }
    return whole;
  }
}

/** An outcome as text. */
function describe(outcome: Outcome): string {
  if (outcome === "waiting") return outcome;
  if ("error" in outcome) {
    const { message, status, body } = outcome.error;
    return JSON.stringify([message, status, body]);
  }
  return JSON.stringify([outcome.head.text, outcome.subprotocol, outcome.rest]);
}
