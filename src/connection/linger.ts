/**
 * Closes a socket. What the peer still sends is read and dropped: with an unread byte, the system
 * would send a reset instead of FIN, and the peer could lose our last output.
 *
 * @module
 */
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";

/** Options of {@linkcode Linger}. */
export interface LingerOptions {
  /** The timer. */
  readonly wheel: TimingWheel;
  /**
   * How long to wait for the peer's FIN, in milliseconds. The time starts again as long as the peer
   * reads output. 0 is no limit.
   */
  readonly timeout: number;
  /** Whether the peer must end TCP first, as a server does (RFC 6455 §7.1.1). */
  readonly peerEndsFirst?: boolean;
  /** Whether to destroy the socket at the peer's FIN. */
  readonly destroys?: boolean;
  /** Called when the socket is closed. */
  readonly gone: () => void;
}

/** Closes a socket with FIN, or destroys it after a timeout. */
export class Linger implements TransportEvents, Timed {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #transport: Transport;
  readonly #options: LingerOptions;
  /** How much output was waiting when the timer was set. */
  #waiting: number;

  /** @param transport The socket; its `events` are replaced. @param options The options. */
  constructor(transport: Transport, options: LingerOptions) {
    this.#transport = transport;
    this.#options = options;
    transport.events = this;
    if (options.timeout > 0) options.wheel.set(this, options.timeout);
    if (options.peerEndsFirst !== true) transport.end();
    this.#waiting = transport.bufferedAmount;
  }

  /** See {@linkcode TransportEvents.data}. */
  data(): void {}

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {}

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    if (this.#options.destroys === true) this.#transport.destroy();
    else this.#transport.end();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(): void {
    this.#options.wheel.remove(this);
    this.#options.gone();
  }

  /** See {@linkcode Timed.expire}. */
  expire(): void {
    const { bufferedAmount } = this.#transport;
    if (bufferedAmount === 0 || bufferedAmount >= this.#waiting) return this.#transport.destroy();
    this.#waiting = bufferedAmount;
    this.#options.wheel.set(this, this.#options.timeout);
  }
}
