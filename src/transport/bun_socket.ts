/**
 * A connection of Bun. `socket.write` returns how many bytes were written. Bun calls `drain` when there is
 * room for more. Each `data` event has its own memory.
 *
 * @module
 */
import { noEvents } from "./no_events.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { DeferredWork } from "./deferred_work.ts";
import { freeChunk } from "./free_chunk.ts";
import type { Address, Deferred, Transport, TransportEvents } from "./transport.ts";

/** The part of Bun's `Socket` that is used. */
export interface BunSocket {
  /** The {@linkcode Transport} of this socket. */
  data: unknown;
  /** The peer's IP address; `undefined` on a unix socket and once closed. */
  readonly remoteAddress: string | undefined;
  /** The peer's port. */
  readonly remotePort: number | undefined;
  /** This end's IP address. */
  readonly localAddress: string | undefined;
  /** This end's port. */
  readonly localPort: number | undefined;
  /** The listener that accepted it; its `unix` is the path of a unix socket. */
  readonly listener?: object | undefined;
  /** Writes up to `length` bytes from `at`. Returns how many were written; −1 if closed. */
  write(bytes: Uint8Array, at?: number, length?: number): number;
  /** Sends FIN. (`end()` would close both directions.) */
  shutdown(): void;
  /** Closes the socket at once. */
  terminate(): void;
  /** Stops reading. */
  pause(): void;
  /** Starts reading again. */
  resume(): void;
  /** Sets TCP_NODELAY. */
  setNoDelay(on?: boolean): boolean;
  /** Sets SO_KEEPALIVE, and TCP_KEEPIDLE in milliseconds. */
  setKeepAlive(on?: boolean, initialDelay?: number): boolean;
  /** Returns the cipher of a TLS connection. The name is `null` during the handshake. */
  getCipher(): { readonly name: string | null };
  /** Sets how long the socket may be idle before the `timeout` handler is called; 0 is off. */
  timeout(seconds: number): void;
}

/** The peer of a socket. The port is `undefined` if it was not read. */
export interface Peer extends Pick<Address, "transport" | "hostname"> {
  readonly port?: number;
}

/** `ended`: the peer has sent FIN. */
type Input = "open" | "ended" | "closed";

/**
 * - `open`
 * - `ending`: FIN will be sent after the queue
 * - `ended`: FIN was sent
 * - `closed`
 */
type Output = "open" | "ending" | "ended" | "closed";

/** A {@linkcode Transport} for a socket of Bun. */
export class BunTransport implements Transport {
  events: TransportEvents = noEvents;
  /** The deferred work of the listener's sockets; `null` for a client. */
  work: DeferredWork | null = null;
  readonly secure: boolean;
  readonly #socket: BunSocket;
  readonly #kind: Address["transport"];
  #input: Input = "open";
  #output: Output = "open";
  #queue: ByteQueue | null = null;
  #buffered = 0;
  /** Stored at once: Bun forgets the peer's address when the socket closes. */
  readonly #remoteHostname: string;
  /** Read on demand: each look-up takes 1.4 to 1.8 µs, and a whole handshake 55 µs. */
  #remotePort: number | undefined;
  #localAddress: Address | null = null;

  /**
   * Wraps an open socket. The caller sets the socket's `data` to this transport.
   *
   * @param peer The peer's address, from {@linkcode peerOf}.
   */
  constructor(socket: BunSocket, secure: boolean, peer: Peer) {
    this.#socket = socket;
    this.secure = secure;
    this.#kind = peer.transport;
    this.#remoteHostname = peer.hostname;
    this.#remotePort = peer.port;
  }

  get transfersChunks(): boolean {
    return true;
  }

  get bufferedAmount(): number {
    return this.#buffered;
  }

  get remoteAddress(): Address {
    const port = this.#remotePort ??= this.#socket.remotePort ?? 0;
    return { transport: this.#kind, hostname: this.#remoteHostname, port };
  }

  get localAddress(): Address {
    const { localAddress = "", localPort = 0, listener } = this.#socket;
    return this.#localAddress ??= this.#kind === "unix"
      ? { transport: "unix", hostname: pathOf(listener) ?? "", port: 0 }
      : { transport: "tcp", hostname: localAddress, port: localPort };
  }

  release(chunk: Uint8Array): void {
    freeChunk(chunk);
  }

  defer(work: Deferred): void {
    if (this.work === null) work.start();
    else this.work.add(work);
  }

  /** Handles `data`. */
  received(chunk: Uint8Array): void {
    this.events.data(chunk);
  }

  /** Handles `end`: the peer has sent FIN. */
  peerEnded(): void {
    this.#input = "ended";
    this.events.end();
  }

  /** Handles `close`, which Bun calls inside `terminate` but never inside another method. */
  gone(error: Error | undefined): void {
    // If we have sent FIN, Bun closes at the peer's FIN without calling `end`.
    if (this.#input === "open" && error === undefined) this.peerEnded();
    if (this.#input === "closed") return;
    this.#release();
    this.events.closed(error);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(bytes: Uint8Array, stable: boolean): void {
    this.#write(bytes, bytes.length, stable);
  }

  writeStart(bytes: Uint8Array, length: number): void {
    this.#write(bytes, length, false);
  }

  #write(bytes: Uint8Array, length: number, stable: boolean): void {
    if (this.#output !== "open") return;
    const written = this.#queue === null ? this.#socket.write(bytes, 0, length) : 0;
    if (written === length) return;
    if (written < 0) return this.#break();
    this.#buffered += length - written;
    (this.#queue ??= new ByteQueue()).push(bytes.subarray(written, length), stable);
  }

  /** Handles `drain`, which Bun also calls if nothing was waiting. */
  writable(): void {
    const queue = this.#queue;
    if (queue === null) return;
    for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
      const written = this.#socket.write(piece);
      if (written < 0) {
        this.#break();
        return;
      }
      this.#buffered -= written;
      if (written < piece.length) {
        queue.unshift(piece.subarray(written));
        return;
      }
    }
    this.#queue = null;
    if (this.#output === "ending") this.#finish();
    else this.events.drain();
  }

  end(): void {
    if (this.#output !== "open") return;
    this.#output = "ending";
    if (this.#queue === null) this.#finish();
  }

  #finish(): void {
    this.#output = "ended";
    this.#socket.shutdown();
  }

  destroy(): void {
    if (this.#output !== "closed") this.#close(undefined);
  }

  /** Closes after a failed write: while paused, Bun does not call `close`. */
  #break(): void {
    this.#close(new Error("Cannot write: the peer reset the connection"));
  }

  #close(error: Error | undefined): void {
    this.#release();
    this.#socket.terminate();
    queueMicrotask(() => this.events.closed(error));
  }

  #release(): void {
    this.#input = "closed";
    this.#output = "closed";
    this.#queue = null;
    this.#buffered = 0;
  }

  setNoDelay(on: boolean): void {
    if (this.#output !== "closed") this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean, delay?: number): void {
    if (this.#output !== "closed") this.#socket.setKeepAlive(on, delay);
  }
}

function pathOf(listener: { readonly unix?: string } | undefined): string | undefined {
  return listener?.unix;
}

/**
 * Returns the peer's address, without the port of a TCP socket.
 *
 * @param path The path of the unix socket that a client connected to.
 * @returns `undefined` if the peer has already reset the connection. The address is lost then, and
 * the socket must not be mistaken for a unix socket.
 */
export function peerOf(socket: BunSocket, path?: string): Peer | undefined {
  const { remoteAddress } = socket;
  if (remoteAddress !== undefined) return { transport: "tcp", hostname: remoteAddress };
  const isUnix = (path ?? pathOf(socket.listener)) !== undefined;
  return isUnix ? { transport: "unix", hostname: "", port: 0 } : undefined;
}
