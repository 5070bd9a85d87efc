/**
 * TLS handshakes, which come before a connection is accepted: they count as connections, and are
 * over when a handshake must be.
 *
 * @module
 */
import type { Owned, Owner } from "./context.ts";
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import type { TlsHandshake, Transport } from "../transport/transport.ts";

/** What happens at the end of a TLS handshake. */
export interface TlsHandshakeEnd {
  /** Ends the connection at once. */
  readonly destroy: () => void;
  /**
   * The connection can be served. Its own handshake must be over in `timeLeft` milliseconds, if any
   * are told.
   */
  readonly accept: (transport: Transport, timeLeft: number | undefined) => void;
  /** Called once if the handshake fails or takes too long. */
  readonly fail: (error: unknown) => void;
}

/** How long it may take, and who is told when it is over. */
export interface TlsHandshakeOptions extends TlsHandshakeEnd {
  /** The timer. */
  readonly wheel: TimingWheel;
  /** How long it may take, in milliseconds; 0 is for ever. */
  readonly timeout: number;
  /** The server whose listener has accepted the TCP connection. */
  readonly owner: Owner;
  /** Called once when it is over, however: it counts no more. */
  readonly release: (handshake: PendingHandshake) => void;
}

/** A connection whose TLS handshake is not over. */
export class PendingHandshake implements TlsHandshake, Timed, Owned {
  index = -1;
  deadline = 0;
  before: Link | null = null;
  after: Link | null = null;
  readonly #options: TlsHandshakeOptions;
  #isOver = false;

  /** Begins to wait. */
  constructor(options: TlsHandshakeOptions) {
    this.#options = options;
    if (options.timeout > 0) options.wheel.set(this, options.timeout);
  }

  accepted(transport: Transport): void {
    const { wheel, accept } = this.#options;
    const timeLeft = this.deadline === 0 ? undefined : this.deadline - wheel.now();
    if (this.#end()) accept(transport, timeLeft);
    else transport.destroy();
  }

  failed(error: unknown): void {
    if (this.#end()) this.#options.fail(error);
  }

  /** It takes too long. */
  expire(): void {
    const { timeout, destroy } = this.#options;
    this.failed(new Error(`TLS handshake not finished within handshakeTimeout (${timeout} ms)`));
    destroy();
  }

  /** The server shuts down: there is nobody yet who could be told. */
  shutdown(): void {
    if (this.#end()) this.#options.destroy();
  }

  terminate(): void {
    this.shutdown();
  }

  /** Returns whether this is its first end. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    const { wheel, owner, release } = this.#options;
    wheel.remove(this);
    release(this);
    owner.forget(this);
    return true;
  }
}
