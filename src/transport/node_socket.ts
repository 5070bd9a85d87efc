/**
 * One connection of Node: a `net.Socket` or `tls.TLSSocket`, with listeners that all share.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { copyBytes } from "./copy_bytes.ts";
import { toError } from "../guard.ts";
import { noEvents } from "./no_events.ts";
import { ChunkReader, type SocketClass } from "./node_onread.ts";
import type { NodeHandle, NodeSocket, WriteCallback } from "./node_types.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Address, Transport, TransportEvents } from "./transport.ts";

/** What {@linkcode readingHandle} looks for. */
type ReadingHandle = Pick<NodeHandle, "readStart" | "readStop">;

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
/** TLS encrypts all of a write at once, into memory of its own. */
const MOST_ENCRYPTED = 256 * 1024;
/** Deno and Bun have a `node:net` too, of which it is not known what else is in a chunk's memory. */
const isNode = !("Deno" in globalThis || "Bun" in globalThis);

/**
 * - `open`
 * - `ending`: FIN follows what is queued
 * - `ended`: FIN is sent
 * - `closed`
 */
type State = "open" | "ending" | "ended" | "closed";

/** A {@linkcode Transport} over a socket of Node. */
export class NodeTransport implements Transport {
  readonly #socket: NodeSocket;
  readonly #reader: ChunkReader | undefined;
  readonly #kind: Address["transport"];
  #events = noEvents;
  #transfersChunks = true;
  #state: State = "open";
  #error: Error | undefined = undefined;
  /** Whether chunks, and the peer's end behind them, are to wait. */
  #paused = false;
  /** What has come while paused. */
  #held: ByteQueue | null = null;
  /** Whether the peer's end waits behind it. */
  #endIsHeld = false;
  /** Whether nothing is read, because enough is held. */
  #stopped = false;
  /** The size of the write that the stream has, while the system has not taken all of it. */
  #sending = 0;
  /** What waits behind it: a stream of Node would take 180 bytes for each write, and a system call. */
  #queue: ByteQueue | null = null;
  /** Called when the system has taken a write; made when first needed. */
  #onSent: WriteCallback | null = null;
  #remoteAddress: Address | null = null;
  #localAddress: Address | null = null;

  /**
   * Wraps a connected socket that nothing else uses.
   *
   * @param reader What it reads with, if it can.
   * @param kind What kind of socket it is, if whoever made it knows.
   */
  constructor(socket: NodeSocket, reader?: ChunkReader, kind = kindOf(socket)) {
    this.#socket = socket;
    this.#kind = kind;
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
    if (this.#sending === 0 || this.#state === "closed") return 0;
    return unsent(this.#socket, this.#sending) + (this.#queue === null ? 0 : this.#queue.size);
  }

  get remoteAddress(): Address {
    // A socket keeps it from when it is first asked, which a listener does; of TLS, the one below.
    const { remoteAddress, remotePort } = this.#socket._parent ?? this.#socket;
    return this.#remoteAddress ??= addressOf(this.#kind, remoteAddress, remotePort);
  }

  get localAddress(): Address {
    const { localAddress, localPort } = this.#socket;
    return this.#localAddress ??= addressOf(this.#kind, localAddress, localPort);
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
    this.#release();
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
    if (this.#sending !== 0) this.#enqueue(bytes, length, stable);
    else if (this.#socket.encrypted) this.#encrypt(bytes, length, stable);
    else this.#send(bytes, length, stable);
  }

  #enqueue(bytes: Uint8Array, length: number, stable: boolean): void {
    const queue = this.#queue ??= new ByteQueue();
    queue.push(length === bytes.length ? bytes : bytes.subarray(0, length), stable);
  }

  #send(bytes: Uint8Array, length: number, stable: boolean): void {
    const socket = this.#socket;
    if (stable) socket.write(bytes);
    else writeCopy(socket, bytes, length);
    if (socket.writableLength === 0) return;
    this.#sending = length;
    // Behind it: whether the system takes a write at once is known too late for a callback.
    socket.write(nothing, this.#sent());
  }

  /** TLS never takes a write at once. (An empty write also breaks Deno's `node:tls`.) */
  #encrypt(bytes: Uint8Array, length: number, stable: boolean): void {
    if (length > MOST_ENCRYPTED) {
      this.#enqueue(bytes, length, stable);
      return this.#sendNext();
    }
    this.#sending = length;
    if (stable) this.#socket.write(bytes, this.#sent());
    else writeCopy(this.#socket, bytes, length, this.#sent());
  }

  /** The callback of a write. */
  #sent(): WriteCallback {
    return this.#onSent ??= (error) => {
      // After an error, `close` follows.
      if (error || this.#state === "closed") return;
      this.#sending = 0;
      this.#sendNext();
    };
  }

  /** Sends what waits, one write at a time. */
  #sendNext(): void {
    const { encrypted } = this.#socket;
    while (this.#queue !== null && this.#sending === 0) {
      const bytes = this.#queue.shift(encrypted ? MOST_ENCRYPTED : Infinity);
      if (bytes === undefined) this.#queue = null;
      else if (encrypted) this.#encrypt(bytes, bytes.length, true);
      else this.#send(bytes, bytes.length, true);
    }
    if (this.#sending !== 0) return;
    if (this.#state === "ending") this.#finish();
    else if (this.#state === "open") this.#events.drain();
  }

  release(chunk: Uint8Array): void {
    if (isNode && chunk.length >= FREED_FROM) free(chunk);
  }

  /** Takes a chunk; returns whether to read on. */
  received(chunk: Uint8Array): boolean {
    if (!this.#paused && this.#held === null) {
      this.#events.data(chunk);
      return true;
    }
    const held = this.#held ??= new ByteQueue();
    held.push(chunk, false);
    if (held.size < MOST_HELD) return true;
    this.#stopped = true;
    return false;
  }

  /** Takes a chunk of the stream, which does not ask whether to go on. */
  receivedByStream(chunk: Uint8Array): void {
    if (this.received(chunk)) return;
    // A paused stream would take 64 KiB more, and 300 bytes of memory for a piece of one byte.
    const handle = readingHandle(this.#socket);
    if (handle === undefined) this.#socket.pause();
    else handle.readStop();
  }

  /** For the `end` listener. */
  peerEnded(): void {
    if (!this.#paused && this.#held === null) this.#events.end();
    else this.#endIsHeld = true;
  }

  /** Some is read on, and held: otherwise a reset would not be noticed. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // Not at once: it may be the events' own call.
    if (this.#held !== null || this.#endIsHeld) queueMicrotask(() => this.#deliverHeld());
  }

  #deliverHeld(): void {
    while (this.#held !== null && !this.#paused && this.#state !== "closed") {
      const bytes = this.#held.shift();
      if (bytes === undefined) this.#held = null;
      // What is transferred has its memory for itself: the queue's may go on behind it.
      else this.#events.data(this.#transfersChunks ? bytes.slice() : bytes);
    }
    if (this.#paused || this.#state === "closed") return;
    if (this.#endIsHeld) {
      this.#endIsHeld = false;
      this.#events.end();
    } else if (this.#stopped) this.#readOn();
  }

  #readOn(): void {
    this.#stopped = false;
    const handle = this.#transfersChunks ? readingHandle(this.#socket) : undefined;
    if (handle === undefined) this.#socket.resume();
    else handle.readStart();
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    if (this.#sending === 0) this.#finish();
  }

  #finish(): void {
    this.#state = "ended";
    this.#socket.end();
  }

  destroy(): void {
    this.#release();
    this.#socket.destroy();
  }

  #release(): void {
    this.#state = "closed";
    this.#queue = this.#held = null;
    this.#sending = 0;
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean, delay?: number): void {
    this.#socket.setKeepAlive(on, delay);
  }
}

/** What can be told to read no more, if it is known what it does. */
function readingHandle(socket: NodeSocket): Required<ReadingHandle> | undefined {
  const { _handle: handle } = socket;
  if (!isNode || !handle?.readStop || !handle.readStart) return undefined;
  return handle as Required<ReadingHandle>;
}

/** How much of a write the system has not taken; at least 1, since the stream still has it. */
function unsent(socket: NodeSocket, length: number): number {
  const handle = socket._handle;
  // Below TLS it has a few bytes more, and is told all of them at once.
  const { writeQueueSize = length } = handle?._parent ?? handle ?? {};
  return Math.min(length, Math.max(1, writeQueueSize));
}

function writeCopy(
  socket: NodeSocket,
  bytes: Uint8Array,
  length: number,
  callback?: WriteCallback,
): void {
  if (length > SLAB_SIZE / 2) {
    socket.write(bytes.slice(0, length), callback);
    return;
  }
  if (slabUsed + length > slab.length) {
    const { Buffer } = requireBuiltin<BufferModule>("node:buffer", "write");
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
    slabUsed = 0;
  }
  copyBytes(bytes, length, slab, slabUsed);
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
  this[owner].receivedByStream(chunk as Uint8Array);
}

function onChunk(this: NodeSocket, length: number, buffer: Uint8Array): boolean {
  const chunk = length === buffer.length ? buffer : buffer.subarray(0, length);
  return (this as OwnedSocket)[owner].received(chunk);
}

let reader: ChunkReader | undefined;

/** What reads for a server's sockets; none where `node:net` is not Node's. */
export function chunkReader(): ChunkReader | undefined {
  if (!isNode) return undefined;
  return reader ??= new ChunkReader(requireBuiltin<NetModule>("node:net", "read").Socket, onChunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner].peerEnded();
}

function onError(this: OwnedSocket, error: unknown): void {
  this[owner].failed(toError(error));
}

function onClose(this: OwnedSocket): void {
  this[owner].gone();
}

/** A TCP socket has an address on this end as long as it is open, also when the peer is gone. */
function kindOf(socket: NodeSocket): Address["transport"] {
  const { remoteAddress, localAddress, destroyed } = socket;
  const isTcp = remoteAddress !== undefined || localAddress !== undefined || destroyed === true;
  return isTcp ? "tcp" : "unix";
}

function addressOf(transport: Address["transport"], hostname = "", port = 0): Address {
  return { transport, hostname, port };
}
