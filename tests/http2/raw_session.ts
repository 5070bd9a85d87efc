/**
 * A client of HTTP/2 that sends what it is told to, right or wrong: frames of RFC 9113, with header
 * fields as literals.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** The types of frames (RFC 9113 §6). */
export const TYPES = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;

/** The flag END_STREAM. */
export const END_STREAM = 0x1;
/** The flags END_HEADERS, and ACK of SETTINGS and PING. */
const END_HEADERS = 0x4;
const ACK = 0x1;

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame that was received. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Uint8Array;
}

/** A session on its own TCP connection. */
export class RawSession {
  /** All frames that were received. */
  readonly frames: Frame[] = [];
  /** Whether the connection is closed. */
  closed = false;
  readonly #socket: Socket;
  #bytes: Uint8Array = new Uint8Array(0);
  #next = 1;
  /** How many bytes of DATA each stream has received. */
  readonly #sizes = new Map<number, number>();
  readonly #watchers = new Set<() => void>();

  private constructor(socket: Socket, settings: readonly [number, number][]) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      this.#changed();
    });
    socket.on("data", (chunk: Uint8Array) => this.#read(chunk));
    socket.write(PREFACE);
    const payload = settings.flatMap(([id, value]) => [
      ...[id >> 8, id & 0xff],
      ...[value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff],
    ]);
    this.send(TYPES.settings, 0, 0, Uint8Array.from(payload));
  }

  /**
   * Connects, and waits for the server's SETTINGS.
   *
   * @param settings Pairs of identifier and value.
   * @param secure Whether to connect with TLS.
   */
  static async connect(
    port: number,
    settings: readonly [number, number][] = [],
    secure = false,
  ): Promise<RawSession> {
    const tls = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = secure ? connectTls(tls) : connect(port, "127.0.0.1");
    await once(socket, secure ? "secureConnect" : "connect");
    const session = new RawSession(socket, settings);
    await session.until(() => session.frames.some(({ type }) => type === TYPES.settings));
    return session;
  }

  /** Sends a frame. */
  send(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): void {
    const { length } = payload;
    const head = [length >> 16, (length >> 8) & 0xff, length & 0xff, type, flags];
    head.push(stream >>> 24, (stream >> 16) & 0xff, (stream >> 8) & 0xff, stream & 0xff);
    this.#socket.write(Uint8Array.of(...head, ...payload));
  }

  /** Sends a request. @returns The identifier of its stream. */
  request(fields: readonly (readonly [name: string, value: string])[], flags = 0): number {
    const stream = this.#next;
    this.#next += 2;
    this.send(TYPES.headers, END_HEADERS | flags, stream, encodeFields(fields));
    return stream;
  }

  /** Resets a stream. */
  reset(stream: number, code: number): void {
    this.send(TYPES.reset, 0, stream, Uint8Array.of(0, 0, 0, code));
  }

  /** The frames of a type, on a stream. */
  received(type: number, stream: number): Frame[] {
    return this.frames.filter((frame) => frame.type === type && frame.stream === stream);
  }

  /** The bytes of DATA that were received on a stream. */
  data(stream: number): Uint8Array {
    return Uint8Array.from(
      this.received(TYPES.data, stream).flatMap(({ payload }) => [...payload]),
    );
  }

  /** How many bytes of DATA were received on a stream. */
  size(stream: number): number {
    return this.#sizes.get(stream) ?? 0;
  }

  /** Whether a stream, or the whole session, has ended at the server. */
  ended(stream: number): boolean {
    return this.closed || this.received(TYPES.reset, stream).length > 0 ||
      this.frames.some(({ type }) => type === TYPES.goaway) ||
      this.frames.some((frame) => frame.stream === stream && (frame.flags & END_STREAM) !== 0);
  }

  /** Resolves when `reached()`. Rejects after a minute. */
  until(reached: () => boolean): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        reject(new Error(`Waited in vain, with ${this.frames.length} frames`));
      }, 60_000);
      const watcher = () => {
        if (!reached()) return;
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** Stops reading from the socket. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection: with a reset, or with FIN. */
  destroy(resets = false): void {
    if (resets) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #read(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    let at = 0;
    while (bytes.length - at >= 9) {
      const view = new DataView(bytes.buffer, at);
      const length = view.getUint32(0) >>> 8;
      if (bytes.length - at < 9 + length) break;
      const [type, flags] = [view.getUint8(3), view.getUint8(4)];
      const stream = view.getUint32(5) & 0x7fffffff;
      const payload = bytes.slice(at + 9, at + 9 + length);
      at += 9 + length;
      this.frames.push({ type, flags, stream, payload });
      if (type === TYPES.data) this.#sizes.set(stream, this.size(stream) + length);
      if ((flags & ACK) !== 0) continue;
      if (type === TYPES.settings) this.send(TYPES.settings, ACK, 0);
      else if (type === TYPES.ping) this.send(TYPES.ping, ACK, 0, payload);
    }
    this.#bytes = bytes.slice(at);
    this.#changed();
  }
}

/** Literal fields without indexing (RFC 7541 §6.2.2), and without Huffman coding. */
function encodeFields(fields: readonly (readonly [name: string, value: string])[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([name, value]) => [0, ...encodeText(name), ...encodeText(value)]),
  );
}

function encodeText(text: string): number[] {
  const bytes = Array.from(text, (character) => character.charCodeAt(0));
  const length: number[] = [];
  if (bytes.length < 127) length.push(bytes.length);
  else {
    length.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return [...length, ...bytes];
}

/** The fields of a good handshake of a WebSocket, with changes; `undefined` leaves a field out. */
export function rawHandshake(
  changes: Readonly<Record<string, string | undefined>> = {},
): [name: string, value: string][] {
  const fields: Record<string, string | undefined> = {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":authority": "127.0.0.1",
    ":path": "/",
    "sec-websocket-version": "13",
    ...changes,
  };
  return Object.entries(fields).filter((field): field is [string, string] =>
    field[1] !== undefined
  );
}
