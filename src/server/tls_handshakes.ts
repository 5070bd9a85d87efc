/**
 * Pending TLS handshakes. They count as connections, and `handshakeTimeout` includes them.
 *
 * @module
 */
import type { Owned, Owner } from "./context.ts";
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import type { TlsHandshake, Transport } from "../transport/transport.ts";

/** What the listener does at the end of a TLS handshake. */
export interface TlsHandshakeEnd {
  /** Closes the connection at once. */
  readonly destroy: () => void;
  /**
   * Called if the handshake succeeds. `timeLeft` is the rest of `handshakeTimeout` in milliseconds;
   * `undefined` if there is no limit.
   */
  readonly accept: (transport: Transport, timeLeft: number | undefined) => void;
  /** Called once if the handshake fails or takes too long. */
  readonly fail: (error: unknown) => void;
}

/** The options of a {@linkcode PendingHandshake}. */
export interface TlsHandshakeOptions extends TlsHandshakeEnd {
  /** The timer. */
  readonly wheel: TimingWheel;
  /** How long the handshake may take, in milliseconds. 0 means no limit. */
  readonly timeout: number;
  /** The rest of `timeout`, if something came before the handshake. */
  readonly timeLeft?: number | undefined;
  /** The server whose listener has accepted the TCP connection. */
  readonly owner: Owner;
  /** Called once at the end, successful or not. */
  readonly release: (handshake: PendingHandshake) => void;
}

/** A connection during its TLS handshake. */
export class PendingHandshake implements TlsHandshake, Timed, Owned {
  index = -1;
  deadline = 0;
  before: Link | null = null;
  after: Link | null = null;
  readonly #options: TlsHandshakeOptions;
  #isOver = false;

  /** Starts the timer. */
  constructor(options: TlsHandshakeOptions) {
    this.#options = options;
    const { wheel, timeout, timeLeft = timeout } = options;
    if (timeout > 0) wheel.set(this, timeLeft);
  }

  accepted(transport: Transport): void {
    const { wheel, accept } = this.#options;
    const timeLeft = this.deadline === 0 ? undefined : this.deadline - wheel.now();
    if (this.#end()) accept(transport, timeLeft);
    else transport.destroy();
  }

  handedOver(): boolean {
    return this.#end();
  }

  failed(error: unknown): void {
    if (this.#end()) this.#options.fail(error);
  }

  /** See {@linkcode Timed.expire}. */
  expire(): void {
    const { timeout, destroy } = this.#options;
    this.failed(new Error(`TLS handshake not finished within handshakeTimeout (${timeout} ms)`));
    destroy();
  }

  /** Closes the connection because the server shuts down. Without TLS, no message can be sent. */
  shutdown(): void {
    if (this.#end()) this.#options.destroy();
  }

  terminate(): void {
    this.shutdown();
  }

  /** Ends the handshake. Returns false if it had ended before. */
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
