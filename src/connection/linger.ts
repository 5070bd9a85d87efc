/**
 * The end of a socket: what the peer still sends is read and dropped, for an unread byte would turn
 * our FIN into a reset that overtakes what was written last.
 *
 * @module
 */
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";

/** How a socket ends. */
export interface LingerOptions {
  /** The timer. */
  readonly wheel: TimingWheel;
  /**
   * How long the peer has to end its side, in milliseconds, and as much again while it takes output.
   * 0 is for ever.
   */
  readonly timeout: number;
  /** Whether the peer must end TCP first, as a server does (RFC 6455 §7.1.1). */
  readonly peerEndsFirst?: boolean;
  /** Whether the socket is destroyed as soon as the peer has ended its side. */
  readonly destroys?: boolean;
  /** Called when the socket is gone. */
  readonly gone: () => void;
}

/** Ends a socket in good order, or at once when the time is up. */
export class Linger implements TransportEvents, Timed {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #transport: Transport;
  readonly #options: LingerOptions;
  /** Output that was waiting when the time was set. */
  #waiting: number;

  /** @param transport The socket, whose events it takes. @param options How it ends. */
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
