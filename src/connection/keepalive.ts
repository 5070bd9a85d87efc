/**
 * Decides when to ping and when a peer counts as dead. Any received byte shows that it is alive.
 * The time is a parameter.
 *
 * @module
 */

/** The intervals in force, in milliseconds; 0 turns one off. */
export interface KeepaliveLimits {
  /** The time between pings. */
  readonly pingInterval: number;
  /** How long to wait for any data after a ping. */
  readonly pingTimeout: number;
  /** How long the peer may send no message. */
  readonly idleTimeout: number;
}

/** What to do now. */
export type KeepaliveAction = "wait" | "ping" | "dead" | "idle";

/**
 * Whether we read from the peer:
 *
 * - `reading`: yes. If nothing arrives, the peer is silent;
 * - `busy`: no, because the handler is busy. Whether the peer is silent is unknown;
 * - `resumed`: yes, but not all the time since the last tick. An answer may have arrived, and wait;
 * - `stalled`: no, because the peer does not read our output. If some output leaves, the peer is
 *   alive: the buffers of the system are full, so the peer must have read something.
 */
export type Flow = "reading" | "busy" | "resumed" | "stalled";

/**
 * Congestion that was shorter, in milliseconds, says nothing about the peer: some transports report that
 * the system has accepted a write only a moment later.
 */
const LEAST_CONGESTION = 100;

/** When the peer is watched: always in versions with pings, else while output is stalled. */
type Watch = "always" | "stalled" | "never";

/** The keepalive of one connection. Times are whole milliseconds of the timing wheel's clock. */
export class Keepalive {
  /** Whether a byte has arrived since the last tick. Set for every chunk. */
  sawTraffic = true;
  /** When the last message arrived; only updated if `idleTimeout` is set. */
  messageAt: number;
  /** When the next tick is due; `Infinity` if none is. */
  next = 0;
  readonly #limits: KeepaliveLimits;
  #watch: Watch;
  #pingAt: number;
  /** When the first unanswered ping was sent; 0 if there is none. */
  #unansweredAt = 0;
  /** Whether that ping was not sent yet, because output is stalled. */
  #isUnsent = false;
  /** Whether to ping when output is no longer stalled. */
  #isDue = false;
  /** When more than `highWaterMark` began to wait. */
  #congestedAt = 0;
  /** `flushedBytes` at the last tick if output was stalled; else −1. */
  #flushedBefore = -1;

  /**
   * @param limits The intervals.
   * @param pings Whether the version has pings.
   * @param now The time.
   */
  constructor(
    limits: KeepaliveLimits,
    pings: boolean,
    now: number,
  ) {
    this.#limits = limits;
    this.#watch = pings && limits.pingInterval > 0 ? "always" : "never";
    this.messageAt = Math.trunc(now);
    this.#pingAt = Math.trunc(now) + limits.pingInterval;
    this.#schedule();
  }

  /** Whether a connection needs a keepalive from the start. */
  static needed(limits: KeepaliveLimits, pings: boolean): boolean {
    return limits.idleTimeout > 0 || (pings && limits.pingInterval > 0);
  }

  /** Called when a message has arrived. */
  message(now: number): void {
    this.messageAt = Math.trunc(now);
  }

  /** Called when more than `highWaterMark` waits. */
  outputCongested(now: number): void {
    this.#congestedAt = now;
  }

  /**
   * Called when the congestion is over. If the buffers of the system were full, the peer has read.
   *
   * @returns Whether to ping now, since a ping was due during the congestion.
   */
  outputDrained(now: number): boolean {
    if (now - this.#congestedAt >= LEAST_CONGESTION) this.sawTraffic = true;
    if (!this.#isDue) return false;
    this.#isDue = false;
    if (this.#isUnsent) this.#unansweredAt = Math.trunc(now);
    return true;
  }

  /** Called when output stalls: starts to watch the peer, in every version. */
  outputStalled(now: number): void {
    if (this.#watch !== "never") return;
    this.#watch = "stalled";
    this.#pingAt = Math.trunc(now) + this.#limits.pingInterval;
    this.#schedule();
  }

  /**
   * Returns what to do now.
   *
   * @param time The time.
   * @param flow Whether we read from the peer.
   * @param flushedBytes How many bytes the system has accepted so far.
   */
  tick(time: number, flow: Flow, flushedBytes = 0): KeepaliveAction {
    const now = Math.trunc(time);
    const { pingInterval, pingTimeout, idleTimeout } = this.#limits;
    this.#observe(now, flow, flushedBytes);
    let action: KeepaliveAction = "wait";
    if (this.#unansweredAt !== 0 && pingTimeout > 0 && now - this.#unansweredAt >= pingTimeout) {
      action = "dead";
    } else if (idleTimeout > 0 && now - this.messageAt >= idleTimeout) action = "idle";
    else if (this.#watch !== "never" && now >= this.#pingAt) {
      this.#pingAt = now + pingInterval;
      const isStalled = flow === "stalled";
      if (this.#unansweredAt === 0) {
        this.#unansweredAt = now;
        this.#isUnsent = isStalled;
      }
      // A ping would wait behind stalled output. A version without pings is watched only then.
      this.#isDue = isStalled && this.#watch === "always";
      action = isStalled ? "wait" : "ping";
    }
    this.#schedule();
    return action;
  }

  #observe(now: number, flow: Flow, flushedBytes: number): void {
    if (flow === "stalled") {
      const before = this.#flushedBefore;
      if (before !== -1 && flushedBytes > before) this.sawTraffic = true;
      this.#flushedBefore = flushedBytes;
    } else {
      this.#flushedBefore = -1;
      if (this.#watch === "stalled") this.#watch = "never";
    }
    const isUnknown = flow === "busy" || flow === "resumed";
    if (this.sawTraffic || isUnknown || this.#watch === "never") {
      this.sawTraffic = false;
      this.#unansweredAt = 0;
    }
    // A message may have waited to be read.
    if (isUnknown) this.messageAt = now;
  }

  #schedule(): void {
    const { pingTimeout, idleTimeout } = this.#limits;
    let next = Infinity;
    if (this.#watch !== "never") next = this.#pingAt;
    if (this.#unansweredAt !== 0 && pingTimeout > 0) {
      next = Math.min(next, this.#unansweredAt + pingTimeout);
    }
    if (idleTimeout > 0) next = Math.min(next, this.messageAt + idleTimeout);
    this.next = next;
  }
}
