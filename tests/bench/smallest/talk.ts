/**
 * One connection of the smallest server: the handshake, and the messages of RFC 6455 and draft76. Texts
 * are converted by the functions of our server, which are the fastest that we know on each runtime.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { acceptKey, challengeDigest } from "../../../src/digest/handshake_digests.ts";
import { encodeInto } from "../../../src/protocol/text_codec.ts";
import { decodeAscii } from "../../../src/protocol/utf8.ts";
import { type Zlib, ZlibStream } from "../../../src/protocol/zlib.ts";

/** The socket. */
export interface Peer {
  write(bytes: Uint8Array): unknown;
  end(): unknown;
}

/** A binary message that is being received. */
interface Incoming {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly word: number;
  size: number;
}

/** The two streams of permessage-deflate. */
interface Streams {
  readonly inflate: ZlibStream;
  readonly deflate: ZlibStream;
}

/** The room for a header before a payload, so that both are written at once. A multiple of four. */
const ROOM = 12;
const CRLF = "\r\n";
const OPEN = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** Replies to a chunk, which are written at once. Only used during a call. */
const out = new Uint8Array(4 * 1024 * 1024);
const compressed = new Uint8Array(64 * 1024);
const inflated = new Uint8Array(64 * 1024);
const members = new Set<Talk>();

function newStreams(): Streams {
  const library = zlib as unknown as Zlib;
  return { inflate: ZlibStream.inflating(library, {}), deflate: ZlibStream.deflating(library, {}) };
}

let sharedStreams: Streams | undefined;

/** One connection. */
export class Talk {
  readonly #peer: Peer;
  readonly #flags: readonly string[];
  #state: "head" | "hybi" | "draft76" = "head";
  #path = "";
  #rest: Uint8Array | undefined;
  #incoming: Incoming | undefined;
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #streams: Streams | undefined;
  /** How much of {@linkcode out} is used. */
  #length = 0;

  constructor(peer: Peer, flags: readonly string[]) {
    this.#peer = peer;
    this.#flags = flags;
  }

  closed(): void {
    members.delete(this);
  }

  data(chunk: Uint8Array): void {
    if (this.#state === "head") return this.#open(chunk);
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    const read = this.#state === "hybi" ? this.#readHybi(bytes) : this.#readDraft76(bytes);
    if (read < bytes.length) this.#rest = bytes.slice(read);
    // A copy: the socket may write it later.
    if (this.#length > 0) this.#peer.write(out.slice(0, this.#length));
    this.#length = 0;
  }

  #reply(message: string): void {
    if (this.#path === "/fan") return publish(message);
    const text = this.#path === "/reply"
      ? message.charAt(0).toLowerCase() + message.slice(1)
      : message;
    this.#length = this.#put(text, this.#length);
  }

  /** Puts a frame into {@linkcode out}. Returns its end. */
  #put(text: string, at: number): number {
    const { length } = text;
    if (this.#state === "draft76") {
      out[at] = 0x00;
      encodeInto(text, out, at + 1);
      out[at + 1 + length] = 0xff;
      return at + length + 2;
    }
    if (this.#streams === undefined) {
      const start = putHeader(0x81, length, at);
      encodeInto(text, out, start);
      return start + length;
    }
    const { deflate } = this.#streams;
    if (this.#streams === sharedStreams) deflate.reset();
    encodeInto(text, inflated, 0);
    deflate.write(inflated.subarray(0, length), 0, compressed);
    const size = compressed.length - deflate.free - TAIL.length;
    const start = putHeader(0xc1, size, at);
    out.set(compressed.subarray(0, size), start);
    return start + size;
  }

  /** Returns where the next incomplete frame begins. */
  #readHybi(bytes: Uint8Array): number {
    let at = this.#incoming === undefined ? 0 : this.#fill(this.#incoming, bytes, 0);
    while (at + 2 <= bytes.length) {
      const short = bytes[at + 1]! & 0x7f;
      const start = at + (short < 126 ? 6 : short === 126 ? 8 : 14);
      if (start > bytes.length) break;
      const opcode = bytes[at]! & 0xf;
      if (opcode === 8) {
        this.#peer.end();
        return bytes.length;
      }
      const size = short < 126
        ? short
        : short === 126
        ? bytes[at + 2]! << 8 | bytes[at + 3]!
        : new DataView(bytes.buffer, bytes.byteOffset + at + 6).getUint32(0);
      if (opcode === 1) {
        if (start + size > bytes.length) break;
        unmask(bytes, start, size);
        this.#reply(this.#textOf(bytes, start, start + size));
        at = start + size;
      } else {
        const key = new Uint8Array(bytes.subarray(start - 4, start));
        const word = new Uint32Array(key.buffer)[0]!;
        this.#incoming = { bytes: this.#take(ROOM + size), word, size: 0 };
        at = this.#fill(this.#incoming, bytes, start);
      }
    }
    return at;
  }

  #textOf(bytes: Uint8Array, start: number, end: number): string {
    if (this.#streams === undefined) return decodeAscii(bytes, start, end);
    const { inflate } = this.#streams;
    if (this.#streams === sharedStreams) inflate.reset();
    compressed.set(bytes.subarray(start, end));
    compressed.set(TAIL, end - start);
    inflate.write(compressed.subarray(0, end - start + TAIL.length), 0, inflated);
    return decodeAscii(inflated, 0, inflated.length - inflate.free);
  }

  /** Memory for a message: that of the last one, if it is free by the time the next message arrives. */
  #take(size: number): Uint8Array<ArrayBuffer> {
    if (!this.#flags.includes("--borrow")) return new Uint8Array(size);
    if (this.#memory?.length !== size) this.#memory = new Uint8Array(size);
    return this.#memory;
  }

  /** Adds a part of a binary message, and echoes it once it is complete. */
  #fill(incoming: Incoming, chunk: Uint8Array, at: number): number {
    const { bytes, word } = incoming;
    const end = Math.min(chunk.length, at + bytes.length - ROOM - incoming.size);
    bytes.set(chunk.subarray(at, end), ROOM + incoming.size);
    incoming.size += end - at;
    const size = bytes.length - ROOM;
    if (incoming.size < size) return end;
    this.#incoming = undefined;
    const words = new Uint32Array(bytes.buffer, ROOM, size >> 2);
    for (let i = 0; i < words.length; i++) words[i]! ^= word;
    for (let i = size & ~3; i < size; i++) bytes[ROOM + i]! ^= word >>> 8 * (i & 3);
    const header = size < 126 ? 2 : size < 65536 ? 4 : 10;
    const view = new DataView(bytes.buffer, ROOM - header);
    view.setUint8(0, 0x82);
    view.setUint8(1, header === 2 ? size : header === 4 ? 126 : 127);
    if (header === 4) view.setUint16(2, size);
    if (header === 10) view.setUint32(6, size);
    this.#peer.write(bytes.subarray(ROOM - header));
    return end;
  }

  #readDraft76(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      if (bytes[at] === 0xff) {
        this.#peer.end();
        return bytes.length;
      }
      const end = endOfFrame(bytes, at + 1);
      if (end < 0) break;
      this.#reply(decodeAscii(bytes, at + 1, end));
      at = end + 1;
    }
    return at;
  }

  #open(chunk: Uint8Array): void {
    const text = decodeAscii(chunk, 0, chunk.length);
    this.#path = text.slice(4, text.indexOf(" ", 4));
    if (this.#path === "/fan") members.add(this);
    const key1 = fieldOf(text, "Sec-WebSocket-Key1");
    if (key1 !== undefined) return this.#openDraft76(text, key1, chunk.slice(-8));
    this.#state = "hybi";
    const lines = [
      ...OPEN,
      `Sec-WebSocket-Accept: ${acceptKey(fieldOf(text, "Sec-WebSocket-Key")!)}`,
    ];
    if (this.#flags.includes("--takeover")) {
      this.#streams = newStreams();
      lines.push("Sec-WebSocket-Extensions: permessage-deflate");
    } else if (this.#flags.includes("--deflate")) {
      this.#streams = sharedStreams ??= newStreams();
      lines.push(
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      );
    }
    this.#peer.write(Buffer.from([...lines, "", ""].join(CRLF), "latin1"));
  }

  #openDraft76(text: string, key1: string, key3: Uint8Array): void {
    this.#state = "draft76";
    const key2 = fieldOf(text, "Sec-WebSocket-Key2")!;
    const lines = [
      "HTTP/1.1 101 WebSocket Protocol Handshake",
      "Upgrade: WebSocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Origin: ${fieldOf(text, "Origin")}`,
      `Sec-WebSocket-Location: ws://${fieldOf(text, "Host")}${this.#path}`,
    ];
    const digest = challengeDigest(numberIn(key1), numberIn(key2), key3);
    this.#peer.write(
      Buffer.concat([Buffer.from([...lines, "", ""].join(CRLF), "latin1"), digest]),
    );
  }

  /** Sends a frame to this member. */
  send(frame: Uint8Array): void {
    this.#peer.write(frame);
  }

  /** Makes a frame for {@linkcode send}. */
  frame(text: string): Uint8Array {
    return out.slice(this.#length, this.#put(text, this.#length));
  }
}

/** Sends a message to all members. Those of one format get the same frame. */
function publish(text: string): void {
  const [first] = members;
  const frame = first?.frame(text);
  if (frame !== undefined) { for (const member of members) member.send(frame); }
}

/** Puts a header into {@linkcode out}. Returns its end. */
function putHeader(first: number, size: number, at: number): number {
  out[at] = first;
  if (size < 126) {
    out[at + 1] = size;
    return at + 2;
  }
  out[at + 1] = 126;
  out[at + 2] = size >> 8;
  out[at + 3] = size;
  return at + 4;
}

/** Where the FF of a frame of draft76 is; -1 if it has not arrived. A loop is faster if it is near. */
function endOfFrame(bytes: Uint8Array, at: number): number {
  const near = Math.min(bytes.length, at + 64);
  while (at < near && bytes[at] !== 0xff) at++;
  return at < near ? at : bytes.indexOf(0xff, at);
}

/** Unmasks a payload. Its key is before it. */
function unmask(bytes: Uint8Array, start: number, size: number): void {
  const key = start - 4;
  let i = 0;
  const aligned = (bytes.byteOffset + start) % 4 === 0 && size >= 64;
  if (aligned) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset + key, 1 + (size >> 2));
    const word = words[0]!;
    for (let at = 1; at < words.length; at++) words[at]! ^= word;
    i = size & ~3;
  }
  for (; i < size; i++) bytes[start + i]! ^= bytes[key + (i & 3)]!;
}

/** The value of a field; `undefined` if the request does not have it. */
function fieldOf(head: string, name: string): string | undefined {
  const at = head.indexOf(`\n${name}: `);
  if (at < 0) return undefined;
  return head.slice(at + name.length + 3, head.indexOf("\r", at));
}

/** The number that is hidden in a key of draft76. */
function numberIn(key: string): number {
  return Number(key.replace(/[^0-9]/g, "")) / (key.length - key.replace(/ /g, "").length);
}
