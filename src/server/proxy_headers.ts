/**
 * Connections whose PROXY header is not complete. They count as connections, and `handshakeTimeout`
 * includes them.
 *
 * @module
 */
import { toError } from "../guard.ts";
import { ProxyHeaderReader } from "../handshake/proxy_protocol.ts";
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import type { Introduction, PrefaceReader } from "../transport/listen.ts";
import type { Address, TlsHandshake, Transport } from "../transport/transport.ts";
import type { Owned, Owner } from "./context.ts";

/** How long a proxy may take to send its header, in milliseconds (PROXY protocol §2). */
export const PROXY_HEADER_TIMEOUT = 3000;

/** What the listener does at the end of a header. */
export interface ProxyHeaderEnd {
  /** Closes the connection at once. */
  readonly destroy: () => void;
  /** Serves the connection. `timeLeft` is the rest of `handshakeTimeout`, in milliseconds. */
  readonly accept: (transport: Transport, timeLeft: number | undefined) => void;
  /** Starts the TLS handshake that follows. */
  readonly beginTls: (
    peer: Address,
    destroy: () => void,
    timeLeft: number | undefined,
  ) => TlsHandshake | undefined;
}

/** The options of a {@linkcode PendingHeader}. */
export interface PendingHeaderOptions extends ProxyHeaderEnd {
  /** The timer. */
  readonly wheel: TimingWheel;
  /** The setting `handshakeTimeout`. */
  readonly handshakeTimeout: number;
  /** The server whose listener has accepted the connection. */
  readonly owner: Owner;
  /** Called with the reason if the header is malformed, cut short or late. */
  readonly fail: (because: string) => void;
  /** Called once at the end, with or without a header. */
  readonly release: () => void;
}

/** A connection until its PROXY header is complete. */
export class PendingHeader implements PrefaceReader, Timed, Owned {
  index = -1;
  deadline = 0;
  before: Link | null = null;
  after: Link | null = null;
  readonly #options: PendingHeaderOptions;
  readonly #reader = new ProxyHeaderReader();
  readonly #begunAt: number;
  readonly #timeout: number;
  #hasData = false;
  #isOver = false;

  /** Starts the timer. */
  constructor(options: PendingHeaderOptions) {
    this.#options = options;
    const { wheel, handshakeTimeout } = options;
    this.#begunAt = wheel.now();
    this.#timeout = Math.min(PROXY_HEADER_TIMEOUT, handshakeTimeout || Infinity);
    wheel.set(this, this.#timeout);
  }

  receive(chunk: Uint8Array): Introduction | undefined {
    if (this.#isOver) return undefined;
    this.#hasData = true;
    try {
      return this.#read(chunk);
    } catch (error) {
      this.#fail(toError(error).message);
      return undefined;
    }
  }

  #read(chunk: Uint8Array): Introduction | undefined {
    const header = this.#reader.read(chunk);
    if (header === undefined) return undefined;
    const { accept, beginTls } = this.#options;
    const timeLeft = this.#timeLeft();
    this.#end();
    const { source, destination, ...tls } = header;
    return {
      ...tls,
      remoteAddress: source,
      localAddress: destination,
      consumed: this.#reader.consumed,
      accept: (transport) => accept(transport, timeLeft),
      gate: { begin: (peer, destroy) => beginTls(peer, destroy, timeLeft) },
    };
  }

  #timeLeft(): number | undefined {
    const { wheel, handshakeTimeout } = this.#options;
    return handshakeTimeout === 0 ? undefined : handshakeTimeout - (wheel.now() - this.#begunAt);
  }

  gone(): void {
    if (this.#hasData) this.#fail("it ended before its PROXY header was complete");
    // A health check that only connects.
    else this.#end();
  }

  /** See {@linkcode Timed.expire}. */
  expire(): void {
    this.#fail(`its PROXY header was not complete within ${this.#timeout} ms`);
  }

  /** Closes the connection because the server shuts down. */
  shutdown(): void {
    if (this.#end()) this.#options.destroy();
  }

  terminate(): void {
    this.shutdown();
  }

  #fail(because: string): void {
    if (!this.#end()) return;
    this.#options.fail(because);
    this.#options.destroy();
  }

  /** Ends the wait. Returns false if it had ended before. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    const { wheel, owner, release } = this.#options;
    wheel.remove(this);
    release();
    owner.forget(this);
    return true;
  }
}
