/**
 * One timer for all connections: adding, moving and removing an entry costs O(1), and the runtime
 * holds a single timeout however many connections wait.
 *
 * @module
 */

import { type Clock, systemClock } from "./clock.ts";

/** A place in a ring of entries. */
export interface Link {
  /** The neighbour before; `null` outside of a ring. */
  before: Link | null;
  /** The neighbour behind; `null` outside of a ring. */
  after: Link | null;
}

/** Something with one deadline at a time. The wheel owns the three fields. */
export interface Timed extends Link {
  /** When {@linkcode Timed.expire} is due, in the clock's milliseconds; 0 if not in the wheel. */
  deadline: number;
  /** Called at the deadline or up to one tick later; the entry is out of the wheel then. */
  expire(now: number): void;
}

/** A slot: the ring's own link, which stands before its first entry and behind its last. */
class Slot implements Link {
  before: Link = this;
  after: Link = this;
}

/** How late an entry may expire, in milliseconds. */
const TICK = 25;
/** Slots of the wheel: 25.6 s in one turn; a later deadline stays in its slot for another turn. */
const SLOTS = 1024;

/** From here on a timeout is so late that input has been waiting, in milliseconds. */
const LATE = 1000;

/** A hashed timing wheel (Varghese and Lauck, scheme 6): each slot a ring of entries. */
export class TimingWheel {
  readonly #clock: Clock;
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => new Slot());
  #size = 0;
  #timeout: unknown;
  /** The tick for which the timeout is set; 0 if none is. */
  #wakeAt = 0;
  /** Whether a late timeout is waiting for what came before it. */
  #givesWay = false;
  /** The last tick whose slot was visited. */
  #visited: number;

  /** @param clock The source of time. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#visited = Math.floor(clock.now() / TICK);
  }

  /** The clock's time in milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** Sets or moves the deadline of an entry. */
  set(entry: Timed, delay: number): void {
    if (entry.deadline !== 0) this.#unlink(entry);
    const now = this.#clock.now();
    // An empty wheel does not follow the time.
    if (this.#size === 0) this.#visited = Math.floor(now / TICK);
    // A whole number, which the engines keep in place instead of in an object of its own.
    entry.deadline = Math.ceil(now + Math.max(delay, 0));
    const tick = this.#link(entry);
    if (this.#wakeAt === 0 || tick < this.#wakeAt) this.#wake(tick, now);
  }

  /** Takes an entry out; harmless if it is not in. */
  remove(entry: Timed): void {
    if (entry.deadline === 0) return;
    // The timeout stays, also if this was the last entry: one that finds nothing to do costs less
    // than taking it back and setting it again for each of the connections that come and go.
    this.#unlink(entry);
    entry.deadline = 0;
  }

  /** Takes the timeout back if there is no entry, so that it does not hold the process. */
  rest(): void {
    if (this.#size !== 0 || this.#wakeAt === 0) return;
    this.#clock.clearTimeout(this.#timeout);
    this.#wakeAt = 0;
  }

  #slot(tick: number): Slot {
    // The index is below SLOTS, a power of two.
    return this.#slots[tick & (SLOTS - 1)]!;
  }

  #link(entry: Timed): number {
    const tick = Math.max(Math.ceil(entry.deadline / TICK) | 0, this.#visited + 1);
    const slot = this.#slot(tick);
    entry.before = slot;
    entry.after = slot.after;
    slot.after.before = entry;
    slot.after = entry;
    this.#size++;
    return tick;
  }

  #unlink(entry: Timed): void {
    if (entry.before !== null) entry.before.after = entry.after;
    if (entry.after !== null) entry.after.before = entry.before;
    entry.before = entry.after = null;
    this.#size--;
  }

  #wake(tick: number, now: number): void {
    if (this.#wakeAt !== 0) this.#clock.clearTimeout(this.#timeout);
    this.#wakeAt = tick;
    this.#givesWay = false;
    this.#timeout = this.#clock.setTimeout(this.#turn, Math.max(Math.ceil(tick * TICK - now), 1));
  }

  readonly #turn = (): void => {
    const now = this.#clock.now();
    // The process was busy or stopped: what its peers have sent meanwhile is to be read before they
    // are judged by the time.
    this.#givesWay = !this.#givesWay && now - this.#wakeAt * TICK >= LATE;
    if (this.#givesWay) {
      this.#timeout = this.#clock.setTimeout(this.#turn, 1);
      return;
    }
    this.#wakeAt = 0;
    const tick = Math.floor(now / TICK);
    const last = Math.min(tick, this.#visited + SLOTS);
    for (let due = this.#visited + 1; due <= last; due++) {
      this.#visited = due;
      this.#visit(this.#slot(due), now);
    }
    this.#visited = Math.max(this.#visited, tick);
    if (this.#size !== 0) this.#wake(this.#nextTick(), now);
  };

  #visit(slot: Slot, now: number): void {
    const expired: Timed[] = [];
    for (let link = slot.after; link !== slot; link = link.after as Link) {
      const entry = link as Timed;
      if (entry.deadline <= now) expired.push(entry);
    }
    for (const entry of expired) {
      // One that expired before it may have moved or removed it.
      if (entry.deadline === 0 || entry.deadline > now) continue;
      this.#unlink(entry);
      entry.deadline = 0;
      entry.expire(now);
    }
  }

  #nextTick(): number {
    let tick = this.#visited + 1;
    const turn = this.#visited + SLOTS;
    while (tick < turn && this.#slot(tick).after === this.#slot(tick)) tick++;
    return tick;
  }
}
