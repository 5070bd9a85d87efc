/**
 * A minimal client of any version, for tests of servers: bytes in and out. It does not check the
 * server, and sends only text messages and close frames.
 *
 * @module
 */
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { latin1Bytes } from "./bytes.ts";

/** The versions, oldest first. */
export const VERSIONS: readonly WebSocketVersion[] = [
  "draft75",
  "draft76",
  "hybi-07",
  "hybi-08",
  "rfc6455",
];

const NUMBERS: Readonly<Record<string, number>> = { "hybi-07": 7, "hybi-08": 8, "rfc6455": 13 };
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
/** The character that ends a line. */
const LF = 0x0a;

function isHixie(version: WebSocketVersion): boolean {
  return version === "draft75" || version === "draft76";
}

/** The opening handshake, key3 included; draft76's keys are those of the draft's first example. */
export function openingHandshake(
  path: string,
  version: WebSocketVersion,
  { host = "localhost", fields = [] }: {
    readonly host?: string;
    /** Further header lines. */
    readonly fields?: readonly string[];
  } = {},
): Uint8Array {
  const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: Upgrade", ...fields];
  if (!isHixie(version)) {
    head.push("Upgrade: websocket", `Sec-WebSocket-Version: ${NUMBERS[version]}`);
    head.push("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
    return latin1Bytes([...head, "", ""].join("\r\n"));
  }
  head.push("Upgrade: WebSocket", `Origin: http://${host}`);
  if (version === "draft75") return latin1Bytes([...head, "", ""].join("\r\n"));
  head.push("Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5");
  head.push("Sec-WebSocket-Key2: 12998 5 Y3 1  .P00");
  return latin1Bytes([...head, "", "^n:ds[4U"].join("\r\n"));
}

/** A text frame of up to 65535 bytes. */
export function textFrame(text: string, version: WebSocketVersion): Uint8Array {
  const payload = encoder.encode(text);
  if (isHixie(version)) return Uint8Array.of(0, ...payload, 0xff);
  const { length } = payload;
  const size = length < 126 ? [0x80 | length] : [0xfe, length >> 8, length & 0xff];
  // A masking key of zeros is allowed and keeps the payload readable.
  return Uint8Array.of(0x81, ...size, 0, 0, 0, 0, ...payload);
}

/** A close frame; nothing in draft75. */
export function closeFrame(code: number, version: WebSocketVersion): Uint8Array {
  if (version === "draft75") return NOTHING;
  if (version === "draft76") return Uint8Array.of(0xff, 0);
  return Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, code >> 8, code & 0xff);
}

/** A pong of RFC 6455, hybi-07 and hybi-08. @param payload At most 125 bytes. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  return Uint8Array.of(0x8a, 0x80 | payload.length, 0, 0, 0, 0, ...payload);
}

/** The events of a {@linkcode WireReader}. */
export interface WireEvents {
  /** The handshake is complete. */
  open?(): void;
  /** A message has arrived. */
  message(message: string | Uint8Array): void;
  /** A ping has arrived. */
  ping?(payload: Uint8Array): void;
  /** A pong has arrived. */
  pong?(payload: Uint8Array): void;
  /** A close frame has arrived, with its code; 0 if it has none. */
  close?(code: number): void;
}

/** Bytes that have arrived and are not read yet. */
class ReceivedBytes {
  #bytes = new Uint8Array(256);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** A view that is valid until the next `push`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  push(chunk: Uint8Array): void {
    const needed = this.length + chunk.length;
    if (this.#end + chunk.length > this.#bytes.length) {
      const room = needed > this.#bytes.length ? new Uint8Array(2 * needed) : this.#bytes;
      room.set(this.bytes);
      this.#bytes = room;
      [this.#start, this.#end] = [0, this.length];
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  remove(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }
}

/** Reads what a server sends. */
export class WireReader {
  readonly #version: WebSocketVersion;
  readonly #events: WireEvents;
  readonly #inflate: ((payload: Uint8Array) => Uint8Array) | undefined;
  readonly #received = new ReceivedBytes();
  /** How many of the received bytes were looked at without finding an end. */
  #scanned = 0;
  /** How many bytes the current head or frame has, at least. */
  #needed = 1;
  #isOpen = false;
  /** The first byte of the first frame of the current message, and the payloads of its frames. */
  #first = 0;
  #payloads: Uint8Array[] = [];

  /**
   * @param version The version of the connection.
   * @param events The receiver of events.
   * @param inflate Decompresses a message. Default: none is compressed.
   */
  constructor(
    version: WebSocketVersion,
    events: WireEvents,
    inflate?: (payload: Uint8Array) => Uint8Array,
  ) {
    this.#version = version;
    this.#events = events;
    this.#inflate = inflate;
  }

  /** Reads bytes, in pieces of any size. */
  read(chunk: Uint8Array): void {
    const received = this.#received;
    received.push(chunk);
    while (received.length >= this.#needed) {
      this.#needed = 1;
      const taken = this.#next(received.bytes);
      if (taken === 0) {
        this.#needed = Math.max(this.#needed, received.length + 1);
      } else {
        received.remove(taken);
        this.#scanned = 0;
      }
    }
  }

  /** Reads one head or frame. Returns its length in bytes, or 0 if it is not complete. */
  #next(bytes: Uint8Array): number {
    if (!this.#isOpen) return this.#readHandshake(bytes);
    return isHixie(this.#version) ? this.#readHixie(bytes) : this.#readHybi(bytes);
  }

  #readHandshake(bytes: Uint8Array): number {
    const end = this.#findHeadEnd(bytes);
    if (end === 0) return 0;
    const text = String.fromCharCode(...bytes.subarray(0, Math.min(end, 4096)));
    if (!text.startsWith("HTTP/1.1 101 ")) throw new Error(`Cannot join: ${text}`);
    const length = end + (this.#version === "draft76" ? 16 : 0);
    if (bytes.length < length) return 0;
    this.#isOpen = true;
    this.#events.open?.();
    return length;
  }

  /** The length of the head with its empty line; 0 if it is not complete. */
  #findHeadEnd(bytes: Uint8Array): number {
    let lineFeed = bytes.indexOf(LF, this.#scanned);
    for (; lineFeed !== -1; lineFeed = bytes.indexOf(LF, lineFeed + 1)) {
      if (bytes[lineFeed - 2] === LF) return lineFeed + 1;
      this.#scanned = lineFeed;
    }
    return 0;
  }

  #readHixie(bytes: Uint8Array): number {
    if (bytes[0] === 0xff) {
      if (bytes.length < 2) return 0;
      this.#events.close?.(0);
      return 2;
    }
    const end = bytes.indexOf(0xff, this.#scanned);
    this.#scanned = bytes.length;
    if (end === -1) return 0;
    this.#events.message(decoder.decode(bytes.subarray(1, end)));
    return end + 1;
  }

  #readHybi(bytes: Uint8Array): number {
    const [first = 0, second = 0] = bytes;
    const header = second === 127 ? 10 : second === 126 ? 4 : 2;
    if (bytes.length < header) return 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length = header === 10
      ? Number(view.getBigUint64(2))
      : header === 4
      ? view.getUint16(2)
      : second;
    this.#needed = header + length;
    if (bytes.length < this.#needed) return 0;
    this.#needed = 1;
    const payload = bytes.slice(header, header + length);
    if ((first & 0x0f) < 8) this.#readData(first, payload);
    else if (first === 0x89) this.#events.ping?.(payload);
    else if (first === 0x8a) this.#events.pong?.(payload);
    else if (first === 0x88) {
      this.#events.close?.(length === 0 ? 0 : new DataView(payload.buffer).getUint16(0));
    }
    return header + length;
  }

  /** Reads a frame of a message. */
  #readData(first: number, payload: Uint8Array): void {
    if ((first & 0x0f) !== 0) this.#first = first;
    this.#payloads.push(payload);
    if ((first & 0x80) === 0) return;
    let message = this.#payloads.length === 1 ? payload : concat(this.#payloads);
    this.#payloads = [];
    if ((this.#first & 0x40) !== 0) {
      if (this.#inflate === undefined) throw new Error("Cannot read: a message is compressed");
      message = this.#inflate(message);
    }
    this.#events.message((this.#first & 0x0f) === 1 ? decoder.decode(message) : message);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
