/**
 * One timer for all connections. Adding, moving and removing an entry costs O(1), and the runtime
 * holds a single timeout for any number of connections.
 *
 * @module
 */

import { type Clock, systemClock } from "./clock.ts";

/** A node of a circular, doubly linked list. */
export interface Link {
  /** The previous node; `null` if this one is not in a list. */
  before: Link | null;
  /** The next node; `null` if this one is not in a list. */
  after: Link | null;
}

/** An entry of the wheel, with one deadline at a time. The wheel writes the three fields. */
export interface Timed extends Link {
  /** When {@linkcode Timed.expire} is due, in the clock's milliseconds; 0 if not in the wheel. */
  deadline: number;
  /** Called at the deadline or up to one tick later, after the entry has left the wheel. */
  expire(now: number): void;
}

/** A slot: the head of a circular list of entries. */
class Slot implements Link {
  before: Link = this;
  after: Link = this;
}

/** How late an entry may expire, in milliseconds. */
const TICK = 25;
/**
 * Number of slots: one revolution is 25.6 s. A later deadline stays in its slot for another one.
 */
const SLOTS = 1024;

/** A timeout that is late by this many milliseconds lets pending input be read first. */
const LATE = 1000;

/** A hashed timing wheel (Varghese and Lauck, scheme 6). Each slot is a list of entries. */
export class TimingWheel {
  readonly #clock: Clock;
  /** Made when they are first needed: an application with few clients uses a few of them. */
  readonly #slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);
  #size = 0;
  #timeout: unknown;
  /** The tick for which the timeout is set; 0 if none is. */
  #wakeAt = 0;
  /** Whether a late timeout was postponed so that pending input is read first. */
  #isPostponed = false;
  /** The last tick whose slot was visited. */
  #visited: number;

  /** @param clock The source of time. */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#visited = Math.floor(clock.now() / TICK);
  }

  /** Returns the time of the clock, in milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** Sets or moves the deadline of an entry to `delay` milliseconds from now. */
  set(entry: Timed, delay: number): void {
    if (entry.deadline !== 0) this.#unlink(entry);
    const now = this.#clock.now();
    // An empty wheel visits no slots.
    if (this.#size === 0) this.#visited = Math.floor(now / TICK);
    // The engines store an integer in the field itself, and a fraction in an object of its own.
    entry.deadline = Math.ceil(now + Math.max(delay, 0));
    const tick = this.#link(entry);
    if (this.#wakeAt === 0 || tick < this.#wakeAt) this.#wake(tick, now);
  }

  /** Removes an entry. Does nothing if it is not in the wheel. */
  remove(entry: Timed): void {
    if (entry.deadline === 0) return;
    // The timeout stays, even if this was the last entry: a timeout without work costs less than
    // clearing and setting it for each connection.
    this.#unlink(entry);
    entry.deadline = 0;
  }

  /** Puts `by` in the place of `entry`. Does nothing if `entry` is not in the wheel. */
  replace(entry: Timed, by: Timed): void {
    if (entry.deadline === 0) return;
    by.deadline = entry.deadline;
    by.before = entry.before;
    by.after = entry.after;
    if (by.before !== null) by.before.after = by;
    if (by.after !== null) by.after.before = by;
    entry.before = entry.after = null;
    entry.deadline = 0;
  }

  /** Clears the timeout if there is no entry. */
  rest(): void {
    if (this.#size !== 0 || this.#wakeAt === 0) return;
    this.#clock.clearTimeout(this.#timeout);
    this.#wakeAt = 0;
  }

  /** The slot of a tick, unless it was never needed. SLOTS is a power of two. */
  #slot(tick: number): Slot | undefined {
    return this.#slots[tick & (SLOTS - 1)];
  }

  #link(entry: Timed): number {
    const tick = Math.max(Math.ceil(entry.deadline / TICK) | 0, this.#visited + 1);
    const slot = this.#slots[tick & (SLOTS - 1)] ??= new Slot();
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
    this.#isPostponed = false;
    this.#timeout = this.#clock.setTimeout(this.#turn, Math.max(Math.ceil(tick * TICK - now), 1));
  }

  readonly #turn = (): void => {
    const now = this.#clock.now();
    // The process was busy or stopped. Input that arrived meanwhile is read first: otherwise live
    // peers would time out.
    this.#isPostponed = !this.#isPostponed && now - this.#wakeAt * TICK >= LATE;
    if (this.#isPostponed) {
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

  #visit(slot: Slot | undefined, now: number): void {
    if (slot === undefined) return;
    const expired: Timed[] = [];
    for (let link = slot.after; link !== slot; link = link.after as Link) {
      const entry = link as Timed;
      if (entry.deadline <= now) expired.push(entry);
    }
    for (const entry of expired) {
      // An entry that expired before this one may have moved or removed it.
      if (entry.deadline === 0 || entry.deadline > now) continue;
      this.#unlink(entry);
      entry.deadline = 0;
      entry.expire(now);
    }
  }

  #nextTick(): number {
    let tick = this.#visited + 1;
    const turn = this.#visited + SLOTS;
    while (tick < turn && this.#slot(tick)?.after === this.#slot(tick)) tick++;
    return tick;
  }
}
