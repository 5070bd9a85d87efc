/**
 * One connection of Node: a `net.Socket` or `tls.TLSSocket`, with listeners that all share.
 *
 * @module
 */
import { builtin } from "./builtin.ts";
import { copyStart } from "./copy.ts";
import { asError, noEvents } from "./events.ts";
import { ChunkReader, type SocketClass } from "./node_onread.ts";
import type { Address, Transport, TransportEvents } from "./transport.ts";

/** The part of libuv's handle that is used. */
export interface NodeHandle {
  /** The bytes of the writes that it was given. */
  readonly bytesWritten?: number;
  /** The bytes that the system has not taken of them. */
  readonly writeQueueSize?: number;
  /** The bytes that were read. */
  readonly bytesRead?: number;
  /** Reads into a buffer of the caller's. */
  useUserBuffer?(buffer: Uint8Array): void;
}

/** The part of `net.Socket` and `tls.TLSSocket` that is used. */
export interface NodeSocket {
  /** Whether the socket stays writable after the peer's FIN. */
  allowHalfOpen: boolean;
  /** Whether this is a `tls.TLSSocket`. */
  readonly encrypted?: boolean;
  /** The bytes of the writes that the system has not taken in full. */
  readonly writableLength: number;
  /** The bytes of all writes, those that are queued included. */
  readonly bytesWritten: number;
  /** Node's own handle, which is not documented: it may lack. */
  readonly _handle?: NodeHandle | null;
  /** The socket below TLS. */
  readonly _parent?: { readonly _handle?: NodeHandle | null } | null;
  /** The peer's IP address; `undefined` on a unix socket and once closed. */
  readonly remoteAddress?: string | undefined;
  /** The peer's port. */
  readonly remotePort?: number | undefined;
  /** This end's IP address; `undefined` on a unix socket. */
  readonly localAddress?: string | undefined;
  /** This end's port. */
  readonly localPort?: number | undefined;
  /** Adds a listener. */
  on(event: string, listener: (argument: unknown) => void): unknown;
  /** Writes bytes, keeping a reference to what the system does not take at once. */
  write(bytes: Uint8Array, callback?: () => void): boolean;
  /** Sends FIN after all that is written. */
  end(): unknown;
  /** Closes the socket at once. */
  destroy(): unknown;
  /** Stops reading. */
  pause(): unknown;
  /** Reads on. */
  resume(): unknown;
  /** Sets TCP_NODELAY. */
  setNoDelay(on?: boolean): unknown;
  /** Sets SO_KEEPALIVE, and TCP_KEEPIDLE in milliseconds. */
  setKeepAlive(on?: boolean, initialDelay?: number): unknown;
}

/** The part of `node:buffer` that is used. */
interface BufferModule {
  readonly Buffer: { allocUnsafeSlow(size: number): Uint8Array<ArrayBuffer> };
}

/** The part of `node:net` that is used. */
interface NetModule {
  readonly Socket: SocketClass;
}

/** Where a socket keeps its transport, so that one set of listeners serves all. */
const owner: unique symbol = Symbol("transport");

/** A socket that has a transport. */
interface OwnedSocket extends NodeSocket {
  [owner]: NodeTransport;
}

/**
 * Unstable bytes are copied here; what a write has not used up is used again. A stream makes a
 * `Buffer` of what is none, 25 ns for each write.
 */
const SLAB_SIZE = 64 * 1024;
let slab = new Uint8Array(0);
let slabUsed = 0;

const nothing = new Uint8Array(0);

/**
 * From this size on, the memory of a chunk is freed instead of left to V8, which hears of it in time
 * only by marking all that lives, and takes memory for the next reads that is in no cache: to echo
 * 1 MiB takes 1.4 ms instead of 1.8 (the best of five).
 */
const FREED_FROM = 32 * 1024;
/** From so many bytes on that are held while paused, nothing more is read: as in a stream of Node. */
const MOST_HELD = 64 * 1024;
/** Deno and Bun have a `node:net` too, of which it is not known what else is in a chunk's memory. */
const isNode = !("Deno" in globalThis || "Bun" in globalThis);

/** A {@linkcode Transport} over a socket of Node. */
export class NodeTransport implements Transport {
  readonly #socket: NodeSocket;
  readonly #reader: ChunkReader | undefined;
  #events = noEvents;
  #transfersChunks = true;
  #state: "open" | "ended" | "closed" = "open";
  #error: Error | undefined = undefined;
  /** Whether chunks that are lent, and the peer's end behind them, are to wait. */
  #paused = false;
  /** What has come while paused: copies of chunks, and `null` for the peer's end. */
  #held: (Uint8Array | null)[] | null = null;
  /** How many bytes are held. */
  #heldLength = 0;
  /** Called when what was written before has been taken; made when first needed. */
  #onFlushed: (() => void) | null = null;
  /** Whether `#onFlushed` is behind a write, and has not found all taken. */
  #watching = false;
  #remoteAddress: Address | null = null;
  #localAddress: Address | null = null;

  /**
   * Wraps a connected socket that nothing else uses.
   *
   * @param reader What it reads with, if it can.
   */
  constructor(socket: NodeSocket, reader?: ChunkReader) {
    this.#socket = socket;
    this.#reader = reader;
    (socket as OwnedSocket)[owner] = this;
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  get events(): TransportEvents {
    return this.#events;
  }

  set events(events: TransportEvents) {
    const first = this.#events === noEvents;
    this.#events = events;
    if (!first) return;
    this.#transfersChunks = this.#reader?.attach(this.#socket) !== true;
    // A `data` listener lets the socket flow, so it comes with the first who listens.
    if (this.#transfersChunks) this.#socket.on("data", onData);
    this.#socket.on("end", onEnd);
  }

  get transfersChunks(): boolean {
    return this.#transfersChunks;
  }

  get bufferedAmount(): number {
    if (this.#state === "closed") return 0;
    const { writableLength } = this.#socket;
    return writableLength === 0 ? 0 : Math.max(1, untaken(this.#socket, writableLength));
  }

  get remoteAddress(): Address {
    return this.#remoteAddress ??= addressOf(this.#socket.remoteAddress, this.#socket.remotePort);
  }

  get localAddress(): Address {
    return this.#localAddress ??= addressOf(this.#socket.localAddress, this.#socket.localPort);
  }

  get secure(): boolean {
    return this.#socket.encrypted === true;
  }

  /** For the `error` listener; `close` follows. */
  failed(error: Error): void {
    this.#error ??= error;
  }

  /** For the `close` listener. */
  gone(): void {
    this.#state = "closed";
    this.#events.closed(this.#error);
  }

  write(bytes: Uint8Array, stable: boolean): void {
    this.#write(bytes, bytes.length, stable);
  }

  writeStart(bytes: Uint8Array, length: number): void {
    this.#write(bytes, length, false);
  }

  #write(bytes: Uint8Array, length: number, stable: boolean): void {
    if (this.#state !== "open" || length === 0) return;
    const socket = this.#socket;
    // TLS never takes a write at once, so the watch goes with each instead of behind it. (An empty
    // write between others also breaks Deno's `node:tls`.)
    const callback = socket.encrypted ? this.#watch() : undefined;
    if (stable) socket.write(bytes, callback);
    else writeCopy(socket, bytes, length, callback);
    if (socket.writableLength !== 0 && !this.#watching) socket.write(nothing, this.#watch());
  }

  /** The callback that makes the `drain` event: Node's own comes only from its high-water mark on. */
  #watch(): () => void {
    this.#watching = true;
    return this.#onFlushed ??= () => {
      if (this.#state !== "open" || !this.#watching) return;
      if (this.#socket.writableLength === 0) {
        this.#watching = false;
        this.#events.drain();
      } else if (!this.#socket.encrypted) this.#socket.write(nothing, this.#watch());
    };
  }

  release(chunk: Uint8Array): void {
    if (isNode && chunk.length >= FREED_FROM) free(chunk);
  }

  /** A chunk that is lent; whether to read on. */
  lent(chunk: Uint8Array): boolean {
    if (!this.#paused && this.#held === null) {
      this.#events.data(chunk);
      return true;
    }
    (this.#held ??= []).push(chunk.slice());
    this.#heldLength += chunk.length;
    return this.#heldLength < MOST_HELD;
  }

  /** For the `end` listener. */
  peerEnded(): void {
    if (!this.#paused && this.#held === null) this.#events.end();
    else (this.#held ??= []).push(null);
  }

  /** What is lent is read on for a while, and held: otherwise a reset would not be noticed. */
  pause(): void {
    if (this.#transfersChunks) this.#socket.pause();
    else this.#paused = true;
  }

  resume(): void {
    if (this.#transfersChunks) {
      this.#socket.resume();
      return;
    }
    this.#paused = false;
    // Not at once: it may be the events' own call.
    if (this.#held !== null) queueMicrotask(() => this.#deliverHeld());
  }

  #deliverHeld(): void {
    while (this.#held !== null && !this.#paused && this.#state !== "closed") {
      const held = this.#held.shift();
      if (held === undefined) {
        this.#held = null;
        this.#socket.resume();
      } else if (held === null) this.#events.end();
      else {
        this.#heldLength -= held.length;
        this.#events.data(held);
      }
    }
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#socket.end();
  }

  destroy(): void {
    this.#state = "closed";
    this.#socket.destroy();
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean, delay?: number): void {
    this.#socket.setKeepAlive(on, delay);
  }
}

/**
 * How much the system has not taken. `writableLength` counts each write whole until its last byte is
 * taken, so that it tells nothing of a slow peer; libuv's own figure is only on the handle.
 */
function untaken(socket: NodeSocket, writableLength: number): number {
  const handle = socket._handle;
  const raw = (socket._parent ?? socket)._handle;
  const dispatched = handle?.bytesWritten;
  const queued = raw?.writeQueueSize;
  if (dispatched === undefined || queued === undefined || !(socket.bytesWritten >= dispatched)) {
    return writableLength;
  }
  return socket.bytesWritten - dispatched + queued;
}

function writeCopy(
  socket: NodeSocket,
  bytes: Uint8Array,
  length: number,
  callback?: () => void,
): void {
  if (length > SLAB_SIZE / 2) {
    socket.write(bytes.slice(0, length), callback);
    return;
  }
  if (slabUsed + length > slab.length) {
    const { Buffer } = builtin<BufferModule>("node:buffer", "write");
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    slabUsed = 0;
  }
  copyStart(bytes, length, slab, slabUsed);
  socket.write(slab.subarray(slabUsed, slabUsed + length), callback);
  // Bytes that the system took at once leave their place to the next.
  if (socket.writableLength !== 0) slabUsed += length;
}

/** Frees the memory of a chunk, unless others may have a part in it. */
export function free(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

function onData(this: OwnedSocket, chunk: unknown): void {
  this[owner].events.data(chunk as Uint8Array);
}

function onChunk(this: NodeSocket, length: number, buffer: Uint8Array): boolean {
  const chunk = length === buffer.length ? buffer : buffer.subarray(0, length);
  return (this as OwnedSocket)[owner].lent(chunk);
}

let reader: ChunkReader | undefined;

/** What reads for a server's sockets; none where `node:net` is not Node's. */
export function chunkReader(): ChunkReader | undefined {
  if (!isNode) return undefined;
  return reader ??= new ChunkReader(builtin<NetModule>("node:net", "read").Socket, onChunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner].peerEnded();
}

function onError(this: OwnedSocket, error: unknown): void {
  this[owner].failed(asError(error));
}

function onClose(this: OwnedSocket): void {
  this[owner].gone();
}

function addressOf(ip: string | undefined, port: number | undefined): Address {
  return ip === undefined
    ? { transport: "unix", hostname: "", port: 0 }
    : { transport: "tcp", hostname: ip, port: port ?? 0 };
}
