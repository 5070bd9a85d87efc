/**
 * The responses of a valid server, made without the code under test.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../../src/handshake/versions.ts";
import { textOf } from "./support.ts";

/** All versions. */
export const VERSIONS: readonly WebSocketVersion[] = WEBSOCKET_VERSIONS;
/** The versions with close codes, pings and binary messages. */
export const HYBI: readonly WebSocketVersion[] = ["rfc6455", "hybi-08", "hybi-07"];
/** The versions without them. */
export const HIXIE: readonly WebSocketVersion[] = ["draft76", "draft75"];

/** The parts of a client's request. */
export interface SentRequest {
  /** The request line. */
  readonly line: string;
  /** The field lines. */
  readonly lines: readonly string[];
  /** The bytes after the head. */
  readonly rest: string;
}

/** Parses a request. */
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

/** The `Sec-WebSocket-Accept` for a request. */
export function acceptOf(request: SentRequest): string {
  const key = valueOf(request, "Sec-WebSocket-Key");
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** The 16-byte response to the challenge of a draft76 request. */
export function proofOf(request: SentRequest): string {
  const challenge = new DataView(new ArrayBuffer(16));
  ["Sec-WebSocket-Key1", "Sec-WebSocket-Key2"].forEach((name, i) => {
    const key = valueOf(request, name);
    challenge.setUint32(4 * i, Number(key.replace(/\D/g, "")) / (key.split(" ").length - 1));
  });
  for (let i = 0; i < 8; i++) challenge.setUint8(8 + i, request.rest.charCodeAt(i));
  return textOf(createHash("md5").update(new Uint8Array(challenge.buffer)).digest());
}

/** The head of a valid response, one character for each byte. */
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

/** A valid response: the head and, in draft76, the 16 bytes after it. */
export function goodAnswer(version: WebSocketVersion, request: SentRequest): string {
  const proof = version === "draft76" ? proofOf(request) : "";
  return goodHead(version, request) + proof;
}

/** The bytes of a text whose characters are bytes. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
