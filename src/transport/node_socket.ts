/**
 * A connection of Node: a `net.Socket` or `tls.TLSSocket`. All sockets share their listeners.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { toError } from "../guard.ts";
import { DeferredWork } from "./deferred_work.ts";
import { freeChunk } from "./free_chunk.ts";
import { noEvents } from "./no_events.ts";
import { ChunkReader, type SocketClass } from "./node_onread.ts";
import type { NodeHandle, NodeSocket, WriteCallback } from "./node_types.ts";
import { WriteSlab } from "./node_slab.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Address, Deferred, Transport, TransportEvents } from "./transport.ts";

/** A handle that can stop reading. */
type ReadingHandle = Pick<NodeHandle, "readStart" | "readStop">;

/** The part of `node:net` that is used. */
interface NetModule {
  readonly Socket: SocketClass;
}

const owner: unique symbol = Symbol("transport");

interface OwnedSocket extends NodeSocket {
  [owner]: NodeTransport;
}

/** Deno and Bun have a `node:net` too, but a chunk there may share its memory with other data. */
const isNode = !("Deno" in globalThis || "Bun" in globalThis);

/**
 * Module state: what all sockets share, since a process reads and writes one after the other.
 * - The memory of pending writes: a copy of 500 bytes takes 0.07 µs instead of 0.4 in new memory, and
 *   one of 4 KiB 0.1 instead of 1.3.
 * - The memory that sockets read into; see `node_onread.ts` for what it saves.
 * - The work that waits until all sockets are read; see {@linkcode DeferredWork}.
 */
const shared = {
  slab: new WriteSlab(),
  reader: isNode
    ? new ChunkReader(() => requireBuiltin<NetModule>("node:net", "read").Socket, onChunk)
    : null,
  work: new DeferredWork(),
};

const nothing = new Uint8Array(0);

/** How many bytes are read and held while paused, as by a stream of Node. */
const MAX_HELD = 64 * 1024;
/** The largest write to TLS, which encrypts all of a write at once and into new memory. */
const MAX_ENCRYPTED = 256 * 1024;
/**
 * - `open`
 * - `ending`: FIN will be sent after the queue
 * - `ended`: FIN was sent
 * - `closed`
 */
type State = "open" | "ending" | "ended" | "closed";

/** A {@linkcode Transport} for a socket of Node. */
export class NodeTransport implements Transport {
  readonly #socket: NodeSocket;
  readonly #kind: Address["transport"];
  #events = noEvents;
  #transfersChunks = true;
  #state: State = "open";
  #error: Error | undefined = undefined;
  /** Whether chunks and the peer's FIN are held. */
  #paused = false;
  /** Bytes that arrived while paused. */
  #held: ByteQueue | null = null;
  /** Whether the peer's FIN arrived while paused. */
  #endIsHeld = false;
  /** Whether reading was stopped because {@linkcode MAX_HELD} bytes are held. */
  #stopped = false;
  /** The size of the stream's pending write; 0 if there is none. */
  #sending = 0;
  /** Writes that wait behind it. In the stream, each would take 180 bytes and a system call. */
  #queue: ByteQueue | null = null;
  /** Called when a write is complete; made when first needed. */
  #onSent: WriteCallback | null = null;
  #remoteAddress: Address | null;
  #localAddress: Address | null = null;

  /**
   * Wraps a connected socket that nothing else uses.
   *
   * @param kind The kind of socket, if known.
   * @param peer The peer's address, if known. Default: the socket is asked when it is needed.
   */
  constructor(socket: NodeSocket, kind = kindOf(socket), peer: Address | null = null) {
    this.#remoteAddress = peer;
    this.#socket = socket;
    this.#kind = kind;
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
    if (!first || this.#state === "closed") return;
    this.#transfersChunks = shared.reader?.attach(this.#socket) !== true;
    // A `data` listener starts the reading, so it is added with the first `events`.
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
    if (this.#remoteAddress !== null) return this.#remoteAddress;
    // A socket keeps its peer's address once it was read, as by our listener. With TLS, the socket
    // below has it.
    const { remoteAddress, remotePort } = this.#socket._parent ?? this.#socket;
    return this.#remoteAddress = addressOf(this.#kind, remoteAddress, remotePort);
  }

  get localAddress(): Address {
    if (this.#localAddress !== null) return this.#localAddress;
    const { localAddress, localPort } = this.#socket;
    return this.#localAddress = addressOf(this.#kind, localAddress, localPort);
  }

  get secure(): boolean {
    return this.#socket.encrypted === true;
  }

  /** Handles `error`, which `close` follows. */
  failed(error: Error): void {
    this.#error ??= error;
  }

  /**
   * Handles `close`, and drops the receiver: V8 moves the sockets of Node to the old generation even
   * after their end, and all that they refer to. Without the receiver, a handshake takes 8 µs less.
   */
  gone(): void {
    this.#release();
    const events = this.#events;
    this.#events = noEvents;
    events.closed(this.#error);
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
    else shared.slab.write(socket, bytes, length);
    if (socket.writableLength === 0) return;
    this.#sending = length;
    // This empty write carries the callback: whether one is needed is known only after the first
    // write.
    socket.write(nothing, this.#sent());
  }

  /** Writes to TLS, where a write is never complete at once. */
  #encrypt(bytes: Uint8Array, length: number, stable: boolean): void {
    if (length > MAX_ENCRYPTED) {
      this.#enqueue(bytes, length, stable);
      return this.#sendNext();
    }
    this.#sending = length;
    if (stable) this.#socket.write(bytes, this.#sent());
    else shared.slab.write(this.#socket, bytes, length, this.#sent());
  }

  /** Returns the callback of a write. */
  #sent(): WriteCallback {
    return this.#onSent ??= (error) => {
      // `close` follows an error.
      if (error || this.#state === "closed") return;
      this.#sending = 0;
      this.#sendNext();
    };
  }

  /** Sends the queue, one write at a time. */
  #sendNext(): void {
    const { encrypted } = this.#socket;
    while (this.#queue !== null && this.#sending === 0) {
      const bytes = this.#queue.shift(encrypted ? MAX_ENCRYPTED : Infinity);
      if (bytes === undefined) this.#queue = null;
      else if (encrypted) this.#encrypt(bytes, bytes.length, true);
      else this.#send(bytes, bytes.length, true);
    }
    if (this.#sending !== 0) return;
    if (this.#state === "ending") this.#finish();
    else if (this.#state === "open") this.#events.drain();
  }

  release(chunk: Uint8Array): void {
    if (isNode) freeChunk(chunk);
  }

  defer(work: Deferred): void {
    if (this.#transfersChunks) work.start();
    else shared.work.add(work);
  }

  /** Handles a chunk. Returns whether to read on. */
  received(chunk: Uint8Array): boolean {
    if (!this.#paused && this.#held === null) {
      this.#events.data(chunk);
      return true;
    }
    const held = this.#held ??= new ByteQueue();
    held.push(chunk, false);
    if (held.size < MAX_HELD) return true;
    this.#stopped = true;
    return false;
  }

  /** Handles a chunk from the stream, which ignores return values. */
  receivedByStream(chunk: Uint8Array): void {
    if (this.received(chunk)) return;
    // A paused stream would read 64 KiB more, and take 300 bytes of memory for a chunk of one byte.
    const handle = readingHandle(this.#socket);
    if (handle === undefined) this.#socket.pause();
    else handle.readStop();
  }

  /** Handles `end`. */
  peerEnded(): void {
    if (!this.#paused && this.#held === null) this.#events.end();
    else this.#endIsHeld = true;
  }

  /** Pauses. Reading goes on up to {@linkcode MAX_HELD} bytes, so that a reset is noticed. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // In a microtask: `resume` may be called inside an event.
    if (this.#held !== null || this.#endIsHeld) queueMicrotask(() => this.#deliverHeld());
  }

  #deliverHeld(): void {
    while (this.#held !== null && !this.#paused && this.#state !== "closed") {
      const bytes = this.#held.shift();
      if (bytes === undefined) this.#held = null;
      // A transferred chunk must have its own memory, and the queue may use this memory again.
      else this.#events.data(this.#transfersChunks ? new Uint8Array(bytes) : bytes);
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
    this.#socket.setNoDelay?.(on);
  }

  setKeepAlive(on: boolean, delay?: number): void {
    this.#socket.setKeepAlive?.(on, delay);
  }
}

/** Returns the handle that can stop reading. Deno's TLS reads on, and loses FIN: stop TCP there. */
function readingHandle({ _handle }: NodeSocket): Required<ReadingHandle> | undefined {
  const handle = isNode ? _handle : _handle?._parent;
  return handle?.readStop && handle.readStart ? handle as Required<ReadingHandle> : undefined;
}

/** Returns how much of the pending write the system has not accepted; at least 1. */
function unsent(socket: NodeSocket, length: number): number {
  const handle = socket._handle;
  // With TLS, the handle below has the encrypted bytes, a few more.
  const { writeQueueSize = length } = handle?._parent ?? handle ?? {};
  return Math.min(length, Math.max(1, writeQueueSize));
}

function onData(this: OwnedSocket, chunk: unknown): void {
  this[owner].receivedByStream(chunk as Uint8Array);
}

function onChunk(this: NodeSocket, length: number, buffer: Uint8Array): boolean {
  const chunk = length === buffer.length ? buffer : buffer.subarray(0, length);
  return (this as OwnedSocket)[owner].received(chunk);
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

/** Returns the kind of a socket. An open TCP socket has a local address, even after a reset. */
export function kindOf(socket: NodeSocket): Address["transport"] {
  const { remoteAddress, localAddress, destroyed } = socket;
  const isTcp = remoteAddress !== undefined || localAddress !== undefined || destroyed === true;
  return isTcp ? "tcp" : "unix";
}

function addressOf(transport: Address["transport"], hostname = "", port = 0): Address {
  return { transport, hostname, port };
}
