/**
 * One connection of Bun: `socket.write` says how much it took, `drain` when to go on, and every
 * `data` has a fresh chunk.
 *
 * @module
 */
import { noEvents } from "./no_events.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Address, Transport, TransportEvents } from "./transport.ts";

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
  /** Writes some of the first `length` bytes from `at` on; returns how many, −1 if it is closed. */
  write(bytes: Uint8Array, at?: number, length?: number): number;
  /** Sends FIN. (`end()` would close both directions.) */
  shutdown(): void;
  /** Closes the socket at once. */
  terminate(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Sets TCP_NODELAY. */
  setNoDelay(on?: boolean): boolean;
  /** Sets SO_KEEPALIVE, and TCP_KEEPIDLE in milliseconds. */
  setKeepAlive(on?: boolean, initialDelay?: number): boolean;
  /** The cipher of a TLS connection; its name is `null` before the handshake is over. */
  getCipher(): { readonly name: string | null };
  /** Calls the `timeout` handler after so many seconds of silence; 0 turns it off. */
  timeout(seconds: number): void;
}

/** `ended`: the peer has sent FIN. */
type Input = "open" | "ended" | "closed";

/**
 * - `open`
 * - `ending`: FIN follows what is queued
 * - `ended`: FIN is sent
 * - `closed`
 */
type Output = "open" | "ending" | "ended" | "closed";

/** A {@linkcode Transport} over a socket of Bun. */
export class BunTransport implements Transport {
  events: TransportEvents = noEvents;
  readonly secure: boolean;
  readonly #socket: BunSocket;
  readonly #kind: Address["transport"];
  #input: Input = "open";
  #output: Output = "open";
  #queue: ByteQueue | null = null;
  #buffered = 0;
  /** Bun knows the peer's address only until the connection is gone, which may be soon. */
  readonly #remoteHostname: string;
  readonly #remotePort: number;
  #localAddress: Address | null = null;

  /**
   * Wraps an open socket, whose `data` is to be this.
   *
   * @param peer The other end, as {@linkcode peerOf} tells it.
   */
  constructor(socket: BunSocket, secure: boolean, peer: Address) {
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
    return { transport: this.#kind, hostname: this.#remoteHostname, port: this.#remotePort };
  }

  get localAddress(): Address {
    const { localAddress = "", localPort = 0, listener } = this.#socket;
    return this.#localAddress ??= this.#kind === "unix"
      ? { transport: "unix", hostname: pathOf(listener) ?? "", port: 0 }
      : { transport: "tcp", hostname: localAddress, port: localPort };
  }

  /** For the `data` handler. */
  received(chunk: Uint8Array): void {
    this.events.data(chunk);
  }

  /** For the `end` handler: the peer has sent FIN. */
  peerEnded(): void {
    this.#input = "ended";
    this.events.end();
  }

  /** For the `close` handler, which Bun calls inside `terminate` and never inside another method. */
  gone(error: Error | undefined): void {
    // Once this end has sent FIN, Bun closes at the peer's FIN without calling `end`.
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
    const taken = this.#queue === null ? this.#socket.write(bytes, 0, length) : 0;
    if (taken === length) return;
    if (taken < 0) return this.#break();
    this.#buffered += length - taken;
    (this.#queue ??= new ByteQueue()).push(bytes.subarray(taken, length), stable);
  }

  /** For the `drain` handler, which Bun also calls when nothing was waiting. */
  writable(): void {
    const queue = this.#queue;
    if (queue === null) return;
    for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) {
      const taken = this.#socket.write(piece);
      if (taken < 0) {
        this.#break();
        return;
      }
      this.#buffered -= taken;
      if (taken < piece.length) {
        queue.unshift(piece.subarray(taken));
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

  /** The socket takes no more, and its `close` is not called while it is paused. */
  #break(): void {
    this.#close(new Error("Cannot write: the peer has reset the connection"));
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
 * The other end of an open socket.
 *
 * @param path The path of the unix socket that was connected to, if it was one.
 * @returns `undefined` if it is gone already: TCP knows no address of a peer that has reset the
 * connection, which must not pass for a unix socket.
 */
export function peerOf(socket: BunSocket, path?: string): Address | undefined {
  if ((path ?? pathOf(socket.listener)) !== undefined) {
    return { transport: "unix", hostname: "", port: 0 };
  }
  const { remoteAddress, remotePort = 0 } = socket;
  return remoteAddress === undefined
    ? undefined
    : { transport: "tcp", hostname: remoteAddress, port: remotePort };
}
