/**
 * Closes a socket. Reads and drops what the peer still sends: if bytes were unread, the system would
 * send a reset instead of FIN, and the peer could lose our last output.
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
  /** Whose socket it is. */
  readonly owner: SocketOwner;
}

/** The owner of a socket that is being closed. */
export interface SocketOwner {
  /** The socket is closed. */
  gone(): void;
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
  readonly #wheel: TimingWheel;
  readonly #timeout: number;
  readonly #destroys: boolean;
  readonly #owner: SocketOwner;
  /** How much output was waiting when the timer was set. */
  #waiting: number;

  /** @param transport The socket; its `events` are replaced. @param options The options. */
  constructor(
    transport: Transport,
    { wheel, timeout, peerEndsFirst = false, destroys = false, owner }: LingerOptions,
  ) {
    this.#transport = transport;
    this.#wheel = wheel;
    this.#timeout = timeout;
    this.#destroys = destroys;
    this.#owner = owner;
    transport.events = this;
    if (timeout > 0) wheel.set(this, timeout);
    if (!peerEndsFirst) transport.end();
    this.#waiting = transport.bufferedAmount;
  }

  /** See {@linkcode TransportEvents.data}. */
  data(): void {}

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {}

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    if (this.#destroys) this.#transport.destroy();
    else this.#transport.end();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(): void {
    this.#wheel.remove(this);
    this.#owner.gone();
  }

  /** See {@linkcode Timed.expire}. */
  expire(): void {
    const { bufferedAmount } = this.#transport;
    if (bufferedAmount === 0 || bufferedAmount >= this.#waiting) return this.#transport.destroy();
    this.#waiting = bufferedAmount;
    this.#wheel.set(this, this.#timeout);
  }
}
