/**
 * When to ping, and when a peer counts as dead. Time is a parameter; any byte is life.
 *
 * @module
 */
import type { Settings } from "./settings.ts";

/** What a beat asks for. */
export type Beat = "wait" | "ping" | "dead" | "idle";

/** One connection's pulse; times are whole milliseconds of the wheel's clock. */
export class Heart {
  /** Whether a byte has come since the last beat; set for every chunk, so it is all a chunk costs. */
  alive = true;
  /** When the last message came; kept only where `idleTimeout` is set. */
  messageAt: number;
  /** When the next beat is due. */
  next = 0;
  readonly #limits: Pick<Settings, "pingInterval" | "pingTimeout" | "idleTimeout">;
  readonly #pings: boolean;
  #pingAt: number;
  /** When the first ping went out that nothing has come back for; 0 if none. */
  #unansweredAt = 0;

  /**
   * @param limits The intervals in force.
   * @param pings Whether the version has a ping.
   * @param now The time.
   */
  constructor(
    limits: Pick<Settings, "pingInterval" | "pingTimeout" | "idleTimeout">,
    pings: boolean,
    now: number,
  ) {
    this.#limits = limits;
    this.#pings = pings && limits.pingInterval > 0;
    this.messageAt = Math.trunc(now);
    this.#pingAt = Math.trunc(now) + limits.pingInterval;
    this.#schedule();
  }

  /** Whether a connection needs one at all. */
  static needed(settings: Settings, pings: boolean): boolean {
    return settings.idleTimeout > 0 || (pings && settings.pingInterval > 0);
  }

  /** A message has come. */
  message(now: number): void {
    this.messageAt = Math.trunc(now);
  }

  /**
   * What to do now.
   *
   * @param time The time.
   * @param reading Whether we read from the peer: while we do not, its silence says nothing.
   */
  beat(time: number, reading: boolean): Beat {
    const now = Math.trunc(time);
    const { pingInterval, pingTimeout, idleTimeout } = this.#limits;
    if (this.alive || !reading) {
      this.alive = false;
      this.#unansweredAt = 0;
    }
    if (!reading) this.messageAt = now;
    let beat: Beat = "wait";
    if (this.#unansweredAt !== 0 && pingTimeout > 0 && now - this.#unansweredAt >= pingTimeout) {
      beat = "dead";
    } else if (idleTimeout > 0 && now - this.messageAt >= idleTimeout) beat = "idle";
    else if (this.#pings && now >= this.#pingAt) {
      this.#pingAt = now + pingInterval;
      if (this.#unansweredAt === 0) this.#unansweredAt = now;
      beat = "ping";
    }
    this.#schedule();
    return beat;
  }

  #schedule(): void {
    const { pingTimeout, idleTimeout } = this.#limits;
    let next = Infinity;
    if (this.#pings) next = this.#pingAt;
    if (this.#unansweredAt !== 0 && pingTimeout > 0) {
      next = Math.min(next, this.#unansweredAt + pingTimeout);
    }
    if (idleTimeout > 0) next = Math.min(next, this.messageAt + idleTimeout);
    this.next = next;
  }
}
