/**
 * A clock that a test moves.
 *
 * @module
 */
import { type Clock, systemClock } from "../timing/clock.ts";

/** A call that is due. */
interface Timeout {
  readonly at: number;
  readonly callback: () => void;
}

/** Lets promises settle, and what was sent in memory arrive. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * A clock that a test moves: the setting `clock` of an application, which its clients in memory take
 * too. It moves only timers that use the setting: those of the application, and of handlers that
 * call `this.application.settings.clock.setTimeout`; not those of the global `setTimeout`.
 *
 * @example A client that is idle for too long
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect, FakeClock } from "@waterspout/websocket/testing";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const clock = new FakeClock();
 * const app = new Application([["/", Sink]], { clock, idleTimeout: 60_000 });
 * const client = await connect(app, "/");
 * await clock.advance(61_000);
 * assertEquals(await client.readMessage(), undefined);
 * assertEquals(client.closeCode, 1001);
 * ```
 */
export class FakeClock implements Clock {
  #now = 1000;
  #timeouts: Timeout[] = [];
  /** Who waits for the next turn; `null` while turns are not held. */
  #heldTurns: (() => void)[] | null = null;

  /** The time in milliseconds; it begins at 1000. */
  now(): number {
    return this.#now;
  }

  /** See {@linkcode Clock.setTimeout}. */
  setTimeout(callback: () => void, delay: number): unknown {
    const timeout = { at: this.#now + delay, callback };
    this.#timeouts.push(timeout);
    return timeout;
  }

  /** See {@linkcode Clock.clearTimeout}. */
  clearTimeout(timeout: unknown): void {
    this.#timeouts = this.#timeouts.filter((other) => other !== timeout);
  }

  /**
   * See {@linkcode Clock.nextTurn}. The event loop turns by itself, whatever the time, unless
   * {@linkcode holdTurns} stops it.
   */
  nextTurn(callback: () => void): void {
    if (this.#heldTurns === null) systemClock.nextTurn?.(callback);
    else this.#heldTurns.push(callback);
  }

  /** Lets nobody pass to the next turn of the event loop but by {@linkcode turn}. */
  holdTurns(): void {
    this.#heldTurns ??= [];
  }

  /**
   * Turns the event loop once, after {@linkcode holdTurns}.
   *
   * @returns How many were waiting for the turn.
   */
  async turn(): Promise<number> {
    const callbacks = this.#heldTurns?.splice(0) ?? [];
    for (const callback of callbacks) callback();
    await settle();
    return callbacks.length;
  }

  /** How many timeouts are set. */
  get pending(): number {
    return this.#timeouts.length;
  }

  /** Moves the time on as if the process had slept: what is due is called late, in {@linkcode advance}. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /**
   * Moves the time on, and calls what is due in order. Whatever waits for no clock happens first, and
   * between the calls, and after them.
   *
   * @param milliseconds By how much.
   */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (let next = this.#next(); next !== undefined && next.at <= end; next = this.#next()) {
      this.clearTimeout(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** The timeout that is due first; of those due at the same time, the one that was set first. */
  #next(): Timeout | undefined {
    const [first, ...others] = this.#timeouts;
    return first && others.reduce((next, other) => other.at < next.at ? other : next, first);
  }
}
