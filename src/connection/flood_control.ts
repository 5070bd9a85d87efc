/**
 * Limits how fast a peer sends. Only connections with a rate limit use it.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import { type Rate, TokenBucket } from "./token_bucket.ts";

/**
 * A rate limit of one connection, and what to do when the peer exceeds it.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type ConnectionRate, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Chat extends WebSocketHandler {
 *   override get messageRate(): ConnectionRate {
 *     return { perSecond: 10, burst: 50, action: "close" };
 *   }
 *   onMessage(): void {}
 * }
 * assert(Chat.name === "Chat");
 * ```
 */
export interface ConnectionRate extends Rate {
  /**
   * - `"wait"`: the server stops reading until the rate allows more; no data is lost;
   * - `"close"`: the connection is closed with 1008.
   *
   * Default: `"wait"`.
   */
  readonly action?: "wait" | "close";
}

/** The rates of a connection; `undefined` for no limit. */
export interface FloodLimits {
  /** Messages, pings and pongs. */
  readonly messageRate: ConnectionRate | undefined;
  /** Bytes on the wire. */
  readonly byteRate: ConnectionRate | undefined;
}

/** The receiver of the events of a {@linkcode FloodControl}. */
export interface FloodEvents {
  /** Reading stops. */
  throttled(): void;
  /** Reading may start again. */
  resumed(): void;
  /** The peer is refused. */
  refused(error: ProtocolError): void;
}

/** One rate limit, and its token bucket. */
interface Rule {
  readonly rate: ConnectionRate;
  readonly bucket: TokenBucket;
}

/** Enforces the rate limits of one connection. */
export class FloodControl implements Timed {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  readonly #wheel: TimingWheel;
  readonly #events: FloodEvents;
  readonly #messages: Rule | null;
  readonly #bytes: Rule | null;
  #isBlocked = false;

  /** @param limits The rates. @param wheel The timer. @param events The receiver of events. */
  constructor(limits: FloodLimits, wheel: TimingWheel, events: FloodEvents) {
    this.#wheel = wheel;
    this.#events = events;
    const now = wheel.now();
    this.#messages = ruleOf(limits.messageRate, now);
    this.#bytes = ruleOf(limits.byteRate, now);
  }

  /** Whether parsing must wait until the rate allows more. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Counts bytes that have arrived. @returns False if the peer was refused. */
  bytes(count: number): boolean {
    return this.#bytes === null || this.#take(this.#bytes, count, "byteRate");
  }

  /** Counts a message, a ping or a pong. @returns False if the peer was refused. */
  message(): boolean {
    return this.#messages === null || this.#take(this.#messages, 1, "messageRate");
  }

  #take({ rate, bucket }: Rule, amount: number, name: keyof FloodLimits): boolean {
    const now = this.#wheel.now();
    const left = bucket.count(now) - amount;
    if (rate.action === "close" && left < 0) {
      this.#events.refused(new ProtocolError(1008, describe(rate, name)));
      return false;
    }
    bucket.take(amount);
    if (rate.action !== "close" && left < 1 && !this.#isBlocked) {
      this.#isBlocked = true;
      this.#events.throttled();
      this.#wheel.set(this, this.#timeLeft(now));
    }
    return true;
  }

  /** How long the connection must wait, in milliseconds. */
  #timeLeft(now: number): number {
    let left = 0;
    for (const rule of [this.#messages, this.#bytes]) {
      if (rule === null || rule.rate.action === "close") continue;
      left = Math.max(left, rule.bucket.timeToToken(now));
    }
    return left;
  }

  /** See {@linkcode Timed.expire}. */
  expire(now: number): void {
    const left = this.#timeLeft(now);
    if (left > 0) return this.#wheel.set(this, left);
    this.#isBlocked = false;
    this.#events.resumed();
  }

  /** Stops the timer. */
  stop(): void {
    this.#wheel.remove(this);
  }
}

function ruleOf(rate: ConnectionRate | undefined, now: number): Rule | null {
  return rate === undefined ? null : { rate, bucket: new TokenBucket(rate, now) };
}

function describe({ perSecond, burst }: Rate, name: keyof FloodLimits): string {
  const what = name === "byteRate" ? "bytes" : "messages";
  return `${what} must not exceed ${name} (${perSecond} per second, ${burst} at once)`;
}
