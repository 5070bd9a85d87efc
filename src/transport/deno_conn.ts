/**
 * A connection of Deno, with `conn.read` and `conn.write`. Web streams would cost half of the
 * throughput, and `node:net` a quarter.
 *
 * @module
 */
import { copyBytes } from "./copy_bytes.ts";
import { toError } from "../guard.ts";
import { noEvents } from "./no_events.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Address, Transport, TransportEvents } from "./transport.ts";
import type { Writer } from "./write_limiter.ts";
import { DenoResources } from "./deno_resources.ts";

/** The part of `Deno.Addr` that is used. */
export interface DenoAddress {
  /** `"tcp"` or `"unix"`. */
  readonly transport: string;
  /** The IP address of a TCP socket. */
  readonly hostname?: string;
  /** The port of a TCP socket. */
  readonly port?: number;
  /** The path of a unix socket. */
  readonly path?: string | null;
}

/** The part of `Deno.TcpConn`, `Deno.TlsConn` and `Deno.UnixConn` that is used. */
export interface DenoConn {
  /** The peer's address. */
  readonly remoteAddr: DenoAddress;
  /** This end's address. */
  readonly localAddr: DenoAddress;
  /** Reads into `buffer`. Resolves to `null` after the peer's FIN. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`. Resolves to how many were written. */
  write(bytes: Uint8Array): Promise<number>;
  /** Sends FIN. */
  closeWrite(): Promise<void>;
  /** Closes the socket. */
  close(): void;
  /** Sets TCP_NODELAY; a unix socket has no such method. */
  setNoDelay?(on?: boolean): void;
  /** Sets SO_KEEPALIVE; a unix socket has no such method. */
  setKeepAlive?(on?: boolean): void;
  /** Completes the TLS handshake; only on TLS connections. */
  handshake?(): Promise<unknown>;
}

/**
 * - `unset`: `events` is not set yet
 * - `reading`: a read is pending
 * - `delivering`: inside `events.data`
 * - `pausing`: paused while a read is pending; its result will be held
 * - `paused`: paused, no read is pending; `#held` may have a result
 * - `resuming`: a microtask will deliver the held result or read
 * - `ended`: the peer has sent FIN
 * - `closed`
 */
type Input =
  | "unset"
  | "reading"
  | "delivering"
  | "pausing"
  | "paused"
  | "resuming"
  | "ended"
  | "closed";

/**
 * - `open`
 * - `ending`: FIN will be sent after the queue
 * - `ended`: FIN was sent
 * - `closed`
 */
type Output = "open" | "ending" | "ended" | "closed";

/** Module state; see {@linkcode DenoResources} for what it saves. */
const shared = new DenoResources();

/** A {@linkcode Transport} for a connection of Deno. */
export class DenoTransport implements Transport, Writer {
  readonly #conn: DenoConn;
  #events = noEvents;
  #input: Input = "unset";
  #output: Output = "open";
  /** The buffer of the pending read, from one of the pools. */
  #readBuffer: Uint8Array | null = null;
  /** The pool of the next read's buffer. */
  #pool: BufferPool = shared.small;
  /** The result of a read while paused: the number of bytes, or `null` for FIN. */
  #held: number | null | undefined = undefined;
  /** The bytes of the pending write. They must not change until it settles. */
  #writing: Uint8Array | null = null;
  /** The pool's buffer behind `#writing`, if any. */
  #lent: Uint8Array | null = null;
  #queue: ByteQueue | null = null;
  #buffered = 0;
  /** Whether the limiter counts the pending write. */
  #isLimited = false;

  // Made once: a closure for each read or write would be garbage.
  readonly #onRead = (count: number | null): void => this.#received(count);
  readonly #onReadError = (error: unknown): void => {
    // The peer sent FIN without TLS's close_notify. It counts as an end, as on the other runtimes.
    // The protocol detects a message that was cut short.
    if (error instanceof Error && error.name === "UnexpectedEof") this.#received(null);
    else {
      this.#releaseReadBuffer();
      this.#fail(error);
    }
  };
  readonly #onWritten = (count: number): void => this.#written(count);
  readonly #onWriteError = (error: unknown): void => {
    this.#settleLimited();
    this.#releaseLent();
    this.#fail(error);
  };

  /** Wraps a connection that nothing else uses. */
  constructor(conn: DenoConn) {
    this.#conn = conn;
    conn.setNoDelay?.(true);
  }

  get events(): TransportEvents {
    return this.#events;
  }

  set events(events: TransportEvents) {
    this.#events = events;
    if (this.#input !== "unset") return;
    // The first read is mostly a request head, which needs two reads with a small buffer.
    this.#readInto(shared.medium.take());
  }

  get transfersChunks(): boolean {
    return false;
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  get remoteAddress(): Address {
    return addressOf(this.#conn.remoteAddr);
  }

  get localAddress(): Address {
    return addressOf(this.#conn.localAddr);
  }

  get secure(): boolean {
    return this.#conn.handshake !== undefined;
  }

  #readInto(buffer: Uint8Array): void {
    this.#readBuffer = buffer;
    this.#input = "reading";
    this.#conn.read(buffer).then(this.#onRead, this.#onReadError);
  }

  #received(count: number | null): void {
    if (this.#input === "reading") this.#deliver(count);
    else if (this.#input === "pausing") {
      this.#input = "paused";
      this.#held = count;
    } else this.#releaseReadBuffer();
  }

  #deliver(count: number | null): void {
    const buffer = this.#readBuffer;
    if (count === null || buffer === null) {
      this.#releaseReadBuffer();
      this.#input = "ended";
      this.#events.end();
      if (this.#output === "ended") this.destroy();
      return;
    }
    this.#input = "delivering";
    this.#events.data(count === buffer.length ? buffer : buffer.subarray(0, count));
    this.#pool = shared.next(this.#pool, count, buffer.length);
    if (this.#input !== "delivering") this.#releaseReadBuffer();
    else if (buffer.length === this.#pool.size) this.#readInto(buffer);
    else {
      this.#releaseReadBuffer();
      this.#readInto(this.#pool.take());
    }
  }

  pause(): void {
    if (this.#input === "reading") this.#input = "pausing";
    else if (this.#input === "delivering" || this.#input === "resuming") this.#input = "paused";
  }

  resume(): void {
    if (this.#input === "pausing") this.#input = "reading";
    else if (this.#input === "paused") {
      this.#input = "resuming";
      // In a microtask: inside `events.data` the buffer is still in use.
      queueMicrotask(() => this.#resumed());
    }
  }

  #resumed(): void {
    if (this.#input !== "resuming") return;
    const held = this.#held;
    if (held === undefined) this.#readInto(this.#pool.take());
    else {
      this.#held = undefined;
      this.#deliver(held);
    }
  }

  write(bytes: Uint8Array, stable: boolean): void {
    if (!stable) this.#writeStart(bytes, bytes.length);
    else if (this.#output === "open" && bytes.length > 0) {
      this.#buffered += bytes.length;
      if (this.#writing === null) this.#sendLimited(bytes);
      else this.#enqueue(bytes, true);
    }
  }

  writeStart(bytes: Uint8Array, length: number): void {
    this.#writeStart(bytes, length);
  }

  #writeStart(bytes: Uint8Array, length: number): void {
    if (this.#output !== "open" || length === 0) return;
    this.#buffered += length;
    if (this.#writing === null) this.#send(this.#copy(bytes, length));
    else this.#enqueue(bytes.subarray(0, length), false);
  }

  #enqueue(bytes: Uint8Array, stable: boolean): void {
    (this.#queue ??= new ByteQueue()).push(bytes, stable);
  }

  /** Copies bytes into memory that does not change until they are written. */
  #copy(bytes: Uint8Array, length: number): Uint8Array {
    const pool = shared.forWrite(length);
    if (pool === undefined) return new Uint8Array(bytes.subarray(0, length));
    const lent = this.#lent = pool.take();
    copyBytes(bytes, length, lent, 0);
    return lent.subarray(0, length);
  }

  #send(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.#conn.write(bytes).then(this.#onWritten, this.#onWriteError);
  }

  /** Sends stable bytes: mostly a broadcast, which many connections write at the same time. */
  #sendLimited(bytes: Uint8Array): void {
    this.#writing = bytes;
    shared.limiter.take(this);
  }

  /** See {@linkcode Writer.begin}. */
  begin(): void {
    // The connection may have been destroyed while it waited.
    if (this.#writing === null) return shared.limiter.settled();
    this.#isLimited = true;
    this.#send(this.#writing);
  }

  #settleLimited(): void {
    if (!this.#isLimited) return;
    this.#isLimited = false;
    shared.limiter.settled();
  }

  #written(count: number): void {
    this.#settleLimited();
    const writing = this.#writing;
    if (writing !== null && count < writing.length) {
      this.#buffered -= count;
      this.#send(writing.subarray(count));
      return;
    }
    this.#releaseLent();
    if (this.#output === "closed") return;
    this.#buffered -= count;
    this.#writing = null;
    const next = this.#queue?.shift();
    if (next !== undefined) this.#send(next);
    else {
      this.#queue = null;
      if (this.#output === "ending") this.#finish();
      else this.#events.drain();
    }
  }

  end(): void {
    if (this.#output !== "open") return;
    this.#output = "ending";
    if (this.#writing === null) this.#finish();
  }

  #finish(): void {
    // `close` sends FIN too, but not TLS's close_notify.
    if (this.#input === "ended" && !this.secure) this.destroy();
    else this.#conn.closeWrite().then(() => this.#finished(), (error) => this.#fail(error));
  }

  #finished(): void {
    if (this.#output !== "ending") return;
    this.#output = "ended";
    if (this.#input === "ended") this.destroy();
  }

  destroy(): void {
    if (this.#output === "closed") return;
    this.#shut();
    queueMicrotask(() => this.#events.closed());
  }

  #fail(error: unknown): void {
    if (this.#output === "closed") return;
    this.#shut();
    this.#events.closed(toError(error));
  }

  /** Closes the socket. A pending read or write settles and finds the state `closed`. */
  #shut(): void {
    if (this.#held !== undefined) this.#releaseReadBuffer();
    this.#input = "closed";
    this.#output = "closed";
    this.#queue = null;
    this.#writing = null;
    this.#buffered = 0;
    try {
      this.#conn.close();
    } catch {
      // BadResource: the connection was already closed.
    }
  }

  #releaseReadBuffer(): void {
    if (this.#readBuffer === null) return;
    shared.give(this.#readBuffer);
    this.#readBuffer = null;
  }

  #releaseLent(): void {
    if (this.#lent === null) return;
    shared.give(this.#lent);
    this.#lent = null;
  }

  setNoDelay(on: boolean): void {
    if (this.#output !== "closed") this.#conn.setNoDelay?.(on);
  }

  setKeepAlive(on: boolean): void {
    if (this.#output !== "closed") this.#conn.setKeepAlive?.(on);
  }
}

/** Converts an address of Deno. */
export function addressOf(address: DenoAddress): Address {
  return address.transport === "unix"
    ? { transport: "unix", hostname: address.path ?? "", port: 0 }
    : { transport: "tcp", hostname: address.hostname ?? "", port: address.port ?? 0 };
}
