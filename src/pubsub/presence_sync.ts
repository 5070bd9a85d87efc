/**
 * Keeps the presence of this process and of a broker alike.
 *
 * @module
 */
import { toError } from "../guard.ts";
import type { Clock } from "../timing/clock.ts";
import { type DeadlineOptions, withDeadline } from "../timing/deadline.ts";
import type { Timed, TimingWheel } from "../timing/timing_wheel.ts";
import {
  BROKER_TIMEOUT,
  type BrokerPresence,
  type BrokerStatus,
  type PresenceEntry,
} from "./brokers/broker.ts";
import { readChange, readEntries, writeChange } from "./presence_entry.ts";
import type { PresenceRoom } from "./presence_room.ts";

/** The part of a `Relay` that presence uses. */
export interface PresenceRelay {
  /** The broker's name. */
  readonly name: string;
  /** Whether the broker is reachable. */
  readonly currentStatus: BrokerStatus;
  /** The broker's presence; `undefined` if it has none. */
  readonly presence: BrokerPresence | undefined;
  /** Resolves when messages of a topic arrive, or cannot. Never rejects. */
  settle(topic: string): Promise<unknown>;
  /** Sends a control message to the other processes. */
  control(topic: string, text: string): void;
  /** Counts something that is not in our format, and logs the first. */
  ignore(what: string): void;
  /** Counts and logs a failure. */
  failed(error: Error): void;
}

/** What the presence of an application needs. */
export interface PresenceEnvironment {
  /** The timers of the application. */
  readonly wheel: TimingWheel;
  /** The settings. */
  readonly settings: {
    readonly clock: Clock;
    readonly presenceTtl: number;
  };
}

/** How many topics are worked on at a time. */
const MAX_ACTIVE = 16;
/** How many entries a broker gets at a time. */
const MAX_ENTRIES = 1000;
/** How often entries are renewed before they expire. */
const RENEWALS = 3;

/** Passes the presence of topics on to a broker, one step at a time for each topic. */
export class PresenceSync implements Timed {
  deadline = 0;
  before: Timed["before"] = null;
  after: Timed["after"] = null;
  readonly #rooms: Map<string, PresenceRoom>;
  readonly #relay: PresenceRelay;
  readonly #broker: BrokerPresence;
  readonly #environment: PresenceEnvironment;
  /** Those who wait for the next step of a room. */
  readonly #waiting: Map<PresenceRoom, PromiseWithResolvers<void>> = new Map();
  /** The rooms that are worked on. */
  readonly #active: Set<PresenceRoom> = new Set();
  /** Called when nothing is left to do. */
  #whenIdle: PromiseWithResolvers<void> | null = null;

  /**
   * @param rooms The rooms by topic. This removes those that are done with.
   * @param relay The connection to the broker.
   * @param broker The broker.
   */
  constructor(
    rooms: Map<string, PresenceRoom>,
    { relay, broker, environment }: {
      readonly relay: PresenceRelay;
      readonly broker: BrokerPresence;
      readonly environment: PresenceEnvironment;
    },
  ) {
    this.#rooms = rooms;
    this.#relay = relay;
    this.#broker = broker;
    this.#environment = environment;
  }

  /** Gives the broker what has changed in a room. @returns Resolves when this is done or has failed. */
  schedule(room: PresenceRoom): Promise<void> {
    const { wheel } = this.#environment;
    if (this.deadline === 0) wheel.set(this, this.#interval);
    const waiting = this.#waiting.get(room) ?? Promise.withResolvers<void>();
    this.#waiting.set(room, waiting);
    this.#start();
    return waiting.promise;
  }

  /** Gives the broker everything again, of one or of all topics, because it may have lost it. */
  renew(rooms: Iterable<PresenceRoom> = this.#rooms.values()): void {
    for (const room of rooms) {
      room.mustRenew = true;
      this.schedule(room);
    }
  }

  /** Resolves when nothing is left to do, at the latest after a timeout. */
  async idle(): Promise<void> {
    if (this.#waiting.size + this.#active.size === 0) return;
    this.#whenIdle ??= Promise.withResolvers();
    const { promise } = this.#whenIdle;
    await withDeadline(() => promise, this.#limit("leave")).catch((error: unknown) => {
      this.#relay.failed(toError(error));
    });
  }

  /** Lists the entries of all processes. @returns `undefined` if the answer is malformed. */
  async list(topic: string): Promise<PresenceEntry[] | undefined> {
    const action = `list who is in ${JSON.stringify(topic)}`;
    const answer: unknown = await withDeadline(() => this.#broker.list(topic), this.#limit(action));
    if (Array.isArray(answer)) {
      const entries = readEntries(answer, this.#ignore);
      const byId = new Map(entries.map((entry) => [entry.id, entry]));
      if (byId.size < entries.length) this.#ignore();
      return [...byId.values()];
    }
    this.#ignore();
    return undefined;
  }

  /** See {@linkcode Timed.expire}: renews the entries, and repairs lost events. */
  expire(): void {
    // When the broker is back, its list may not be complete before the next renewal.
    if (this.#isReachable) { for (const room of this.#rooms.values()) room.mustCompare = true; }
    this.renew();
  }

  get #isReachable(): boolean {
    return this.#relay.currentStatus !== "down";
  }

  get #interval(): number {
    return this.#environment.settings.presenceTtl / RENEWALS;
  }

  #limit(action: string): DeadlineOptions {
    const { wheel } = this.#environment;
    const attempt = `Cannot ${action} at ${this.#relay.name}`;
    const late = () => new Error(`${attempt}: no answer within ${BROKER_TIMEOUT} ms`);
    return { wheel, timeout: BROKER_TIMEOUT, late };
  }

  readonly #ignore = (): void => this.#relay.ignore("malformed presence");

  // --- One step of a room -----------------------------------------------------------------------

  #start(): void {
    for (const room of this.#waiting.keys()) {
      if (this.#active.size >= MAX_ACTIVE) return;
      if (this.#active.has(room)) continue;
      this.#active.add(room);
      void this.#run(room);
    }
    if (this.#active.size > 0) return;
    this.#whenIdle?.resolve();
    this.#whenIdle = null;
  }

  async #run(room: PresenceRoom): Promise<void> {
    // The topic comes first: no event after the entry may be missed.
    // Without the subscription, the next comparison tells the events.
    await this.#relay.settle(room.topic);
    const waiting = this.#waiting.get(room);
    this.#waiting.delete(room);
    if (this.#isReachable) {
      await this.#step(room).catch((error: unknown) => this.#relay.failed(toError(error)));
    }
    this.#forget(room);
    this.#active.delete(room);
    waiting?.resolve();
    this.#start();
  }

  async #step(room: PresenceRoom): Promise<void> {
    const { topic, entered, changed } = room;
    const entries = room.mustRenew ? room.entries() : room.entriesOf(changed);
    const ids = room.mustRenew ? entered : changed;
    const gone = [...ids].filter((id) => entered.has(id) && !room.holds(id));
    changed.clear();
    // If this fails, all is given again at the next change or renewal.
    room.mustRenew = true;
    for (const part of chunks(gone)) {
      await this.#change(room, "leave", () => this.#broker.leave(topic, part));
      for (const id of part) entered.delete(id);
    }
    for (const part of chunks(entries)) await this.#enter(room, part);
    room.mustRenew = false;
    await this.#look(room);
  }

  async #enter(room: PresenceRoom, entries: readonly PresenceEntry[]): Promise<void> {
    const { clock, presenceTtl } = this.#environment.settings;
    room.enteredAt = clock.now();
    // Before the answer: if it is lost, the entries may have been stored.
    for (const { id } of entries) room.entered.add(id);
    await this.#change(
      room,
      "enter",
      () => this.#broker.enter(room.topic, entries, presenceTtl),
    );
  }

  /** Compares what the listeners know with the broker's list. */
  async #look(room: PresenceRoom): Promise<void> {
    const { view } = room;
    if (view === null || view.isLoaded && !room.mustCompare) return;
    room.mustCompare = false;
    view.request();
    const list = await this.list(room.topic);
    if (list !== undefined && room.view === view) room.tell(view.replace(list));
  }

  async #change(
    room: PresenceRoom,
    action: "enter" | "leave",
    work: () => Promise<unknown>,
  ): Promise<void> {
    const limit = this.#limit(`${action} ${JSON.stringify(room.topic)}`);
    const change = readChange(await withDeadline(work, limit), this.#ignore);
    room.apply(change);
    for (const text of writeChange(change)) this.#relay.control(room.topic, text);
  }

  /** Removes a room without subscribers, when the broker has no entry of it either. */
  #forget(room: PresenceRoom): void {
    const { settings: { clock, presenceTtl }, wheel } = this.#environment;
    if (!room.isEmpty || this.#waiting.has(room)) return;
    // What the broker could not be told has expired.
    if (room.entered.size > 0 && clock.now() - room.enteredAt < presenceTtl) return;
    this.#rooms.delete(room.topic);
    if (this.#rooms.size > 0) return;
    wheel.remove(this);
    wheel.rest();
  }
}

function chunks<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  for (let from = 0; from < items.length; from += MAX_ENTRIES) {
    parts.push(items.slice(from, from + MAX_ENTRIES));
  }
  return parts;
}
