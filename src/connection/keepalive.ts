/**
 * When to ping, and when a peer counts as dead. Time is a parameter; any byte is life.
 *
 * @module
 */
/** The intervals in force, in milliseconds; 0 turns one off. */
export interface KeepaliveLimits {
  /** The time between pings. */
  readonly pingInterval: number;
  /** How long to wait for any data after a ping. */
  readonly pingTimeout: number;
  /** How long a peer may send no message. */
  readonly idleTimeout: number;
}

/** What a tick asks for. */
export type KeepaliveAction = "wait" | "ping" | "dead" | "idle";

/**
 * How a connection's bytes flow:
 *
 * - `reading`: the peer's silence counts;
 * - `busy`: the handler holds back the reading, so that silence says nothing;
 * - `stalled`: the peer does not take our output, which holds back the reading too. Then each byte
 *   that it takes is life: the system's own buffer is full, so that the peer must have taken some.
 */
export type Flow = "reading" | "busy" | "stalled";

/** One connection's pulse; times are whole milliseconds of the wheel's clock. */
export class Keepalive {
  /** Whether a byte has come since the last tick; set for every chunk, so it is all a chunk costs. */
  sawTraffic = true;
  /** When the last message came; kept only where `idleTimeout` is set. */
  messageAt: number;
  /** When the next tick is due; `Infinity` if there is nothing to look for. */
  next = 0;
  readonly #limits: KeepaliveLimits;
  readonly #pings: boolean;
  /** Whether life is looked for: where there are pings always, elsewhere while output is stuck. */
  #looks: boolean;
  #pingAt: number;
  /** When the first ping went out that nothing has come back for; 0 if none. */
  #unansweredAt = 0;
  /** What the peer had taken at the last tick, if output was stuck then; else −1. */
  #taken = -1;

  /**
   * @param limits The intervals in force.
   * @param pings Whether the version has a ping.
   * @param now The time.
   */
  constructor(
    limits: KeepaliveLimits,
    pings: boolean,
    now: number,
  ) {
    this.#limits = limits;
    this.#pings = this.#looks = pings && limits.pingInterval > 0;
    this.messageAt = Math.trunc(now);
    this.#pingAt = Math.trunc(now) + limits.pingInterval;
    this.#schedule();
  }

  /** Whether a connection needs one from the start. */
  static needed(limits: KeepaliveLimits, pings: boolean): boolean {
    return limits.idleTimeout > 0 || (pings && limits.pingInterval > 0);
  }

  /** A message has come. */
  message(now: number): void {
    this.messageAt = Math.trunc(now);
  }

  /** Output is stuck: from now on life is looked for, whatever the version. */
  outputStalled(now: number): void {
    if (this.#looks) return;
    this.#looks = true;
    this.#pingAt = Math.trunc(now) + this.#limits.pingInterval;
    this.#schedule();
  }

  /**
   * What to do now.
   *
   * @param time The time.
   * @param flow Whether we read from the peer, and if not, why.
   * @param taken How many bytes the peer has taken, ever.
   */
  tick(time: number, flow: Flow, taken = 0): KeepaliveAction {
    const now = Math.trunc(time);
    const { pingInterval, pingTimeout, idleTimeout } = this.#limits;
    this.#observe(now, flow, taken);
    let action: KeepaliveAction = "wait";
    if (this.#unansweredAt !== 0 && pingTimeout > 0 && now - this.#unansweredAt >= pingTimeout) {
      action = "dead";
    } else if (idleTimeout > 0 && now - this.messageAt >= idleTimeout) action = "idle";
    else if (this.#looks && now >= this.#pingAt) {
      this.#pingAt = now + pingInterval;
      if (this.#unansweredAt === 0) this.#unansweredAt = now;
      // Behind output that is stuck, a ping would not get out.
      action = flow === "stalled" ? "wait" : "ping";
    }
    this.#schedule();
    return action;
  }

  #observe(now: number, flow: Flow, taken: number): void {
    if (flow === "stalled") {
      if (this.#taken !== -1 && taken > this.#taken) this.sawTraffic = true;
      this.#taken = taken;
    } else {
      this.#taken = -1;
      this.#looks = this.#pings;
    }
    if (this.sawTraffic || flow === "busy" || !this.#looks) {
      this.sawTraffic = false;
      this.#unansweredAt = 0;
    }
    if (flow === "busy") this.messageAt = now;
  }

  #schedule(): void {
    const { pingTimeout, idleTimeout } = this.#limits;
    let next = Infinity;
    if (this.#looks) next = this.#pingAt;
    if (this.#unansweredAt !== 0 && pingTimeout > 0) {
      next = Math.min(next, this.#unansweredAt + pingTimeout);
    }
    if (idleTimeout > 0) next = Math.min(next, this.messageAt + idleTimeout);
    this.next = next;
  }
}
