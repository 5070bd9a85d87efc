/**
 * A clock that a test controls.
 *
 * @module
 */
import { type Clock, systemClock } from "../timing/clock.ts";

/** A timer. */
interface Timeout {
  readonly at: number;
  readonly callback: () => void;
}

/** How many turns of the event loop promises, and data sent in memory, may take. */
const TURNS = 5;

/**
 * Waits until promises have settled, and data sent in memory has arrived. Not with `setTimeout`, which
 * would take a millisecond or more for each timer of {@linkcode FakeClock.advance}.
 */
async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise<void>((resolve) => systemClock.nextTurn?.(resolve));
  }
}

/**
 * A clock that a test controls. Pass it as the setting `clock`; clients in memory use it too.
 *
 * It controls the timers of the application, and those of handlers that call
 * `this.application.settings.clock.setTimeout`. It does not control the global `setTimeout`.
 *
 * @example An idle client
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
  /** Callbacks that wait for the next turn; `null` if turns are not held. */
  #heldTurns: (() => void)[] | null = null;

  /** The time in milliseconds. It starts at 1000. */
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
   * See {@linkcode Clock.nextTurn}. Turns come from the real event loop, unless {@linkcode holdTurns}
   * was called.
   */
  nextTurn(callback: () => void): void {
    if (this.#heldTurns === null) systemClock.nextTurn?.(callback);
    else this.#heldTurns.push(callback);
  }

  /** Holds all callbacks of {@linkcode nextTurn} until {@linkcode turn} is called. */
  holdTurns(): void {
    this.#heldTurns ??= [];
  }

  /**
   * Runs one turn, after {@linkcode holdTurns}.
   *
   * @returns How many callbacks were held.
   */
  async turn(): Promise<number> {
    const callbacks = this.#heldTurns?.splice(0) ?? [];
    for (const callback of callbacks) callback();
    await settle();
    return callbacks.length;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timeouts.length;
  }

  /** Advances the time as if the process had slept. The next {@linkcode advance} calls late timers. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /**
   * Advances the time, and calls the timers that are due, in order. Before and after each timer, it
   * waits until promises have settled.
   *
   * @param milliseconds How much to advance.
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

  /** The timer that is due first. Of several with the same time, the one that was set first. */
  #next(): Timeout | undefined {
    const [first, ...others] = this.#timeouts;
    return first && others.reduce((next, other) => other.at < next.at ? other : next, first);
  }
}
