/**
 * Who is present at which topic, over all processes.
 *
 * @module
 */
import type { PresenceEntry } from "./brokers/broker.ts";
import {
  byId,
  parseChange,
  type PresenceRequest,
  type Present,
  toPresent,
} from "./presence_entry.ts";
import { PresenceRoom } from "./presence_room.ts";
import { type PresenceEnvironment, type PresenceRelay, PresenceSync } from "./presence_sync.ts";
import type { Subscriber } from "./subscriber.ts";

const DONE: Promise<void> = Promise.resolve();

/** A list that somebody waits for, and the next one. */
interface Listing {
  readonly current: Promise<readonly PresenceEntry[]>;
  next: Promise<readonly PresenceEntry[]> | undefined;
}

/** The presence of an application. Without a broker, it is that of this process. */
export class Presence {
  readonly #relay: PresenceRelay | null;
  readonly #sync: PresenceSync | null;
  readonly #rooms: Map<string, PresenceRoom> = new Map();
  readonly #listings: Map<string, Listing> = new Map();

  /** @param environment Timers and settings. @param relay The connection to a broker, if there is one. */
  constructor(environment: PresenceEnvironment, relay: PresenceRelay | null) {
    this.#relay = relay;
    const broker = relay?.presence;
    this.#sync = relay === null || broker === undefined
      ? null
      : new PresenceSync(this.#rooms, { relay, broker, environment });
  }

  /** Whether there is no presence at all, so that most applications pay nothing. */
  get isUnused(): boolean {
    return this.#rooms.size === 0;
  }

  /** The number of ids of this process, each counted once for a topic. */
  get size(): number {
    let size = 0;
    for (const room of this.#rooms.values()) size += room.size;
    return size;
  }

  /**
   * Checks whether presence works.
   *
   * @param attempt The beginning of the error: `Cannot list who is in "lobby"`.
   * @throws {TypeError} If the broker cannot know who is present.
   */
  check(attempt: string): void {
    if (this.#relay === null || this.#sync !== null) return;
    throw new TypeError(
      `${attempt}: ${this.#relay.name} has no presence; use redisStreamsBroker`,
    );
  }

  /**
   * Sets what a subscriber of a topic has asked for.
   *
   * @returns Resolves when the other processes know it, or when that has failed.
   */
  set(subscriber: Subscriber, topic: string, request: PresenceRequest): Promise<void> {
    let room = this.#rooms.get(topic);
    if (room === undefined) {
      room = new PresenceRoom(topic);
      this.#rooms.set(topic, room);
    }
    const change = room.set(subscriber, request);
    if (this.#sync !== null) return this.#sync.schedule(room);
    room.tell(change);
    this.#settle(room);
    return DONE;
  }

  /** Removes a subscriber of a topic. Ignores others. */
  remove(subscriber: Subscriber, topic: string): void {
    if (this.isUnused) return;
    const room = this.#rooms.get(topic);
    if (room?.has(subscriber) !== true) return;
    const change = room.remove(subscriber);
    if (this.#sync !== null) return void this.#sync.schedule(room);
    room.tell(change);
    this.#settle(room);
  }

  /** Forgets an empty room of an application without a broker. */
  #settle(room: PresenceRoom): void {
    room.changed.clear();
    if (room.isEmpty) this.#rooms.delete(room.topic);
  }

  /**
   * Lists who is present at a topic, in all processes.
   *
   * @returns Sorted by id. Rejects if the broker is down, gives no answer, or a malformed one.
   */
  async list(topic: string): Promise<Present[]> {
    const entries = this.#sync === null
      ? this.#rooms.get(topic)?.entries() ?? []
      : await this.#listed(topic, this.#sync);
    return entries.toSorted(byId).map(toPresent);
  }

  /** All who ask while a list is on its way share the next one. It may not have their own entries. */
  #listed(topic: string, sync: PresenceSync): Promise<readonly PresenceEntry[]> {
    const listing = this.#listings.get(topic);
    if (listing === undefined) return this.#begin(topic, sync);
    return listing.next ??= listing.current.then(
      () => this.#begin(topic, sync),
      () => this.#begin(topic, sync),
    );
  }

  #begin(topic: string, sync: PresenceSync): Promise<readonly PresenceEntry[]> {
    const current = this.#read(topic, sync);
    const listing: Listing = { current, next: undefined };
    this.#listings.set(topic, listing);
    const done = (): void => {
      if (listing.next === undefined) this.#listings.delete(topic);
    };
    current.then(done, done);
    return current;
  }

  async #read(topic: string, sync: PresenceSync): Promise<readonly PresenceEntry[]> {
    const name = this.#relay?.name;
    const attempt = `Cannot list who is in ${JSON.stringify(topic)}`;
    if (this.#relay?.currentStatus === "down") throw new Error(`${attempt}: ${name} is down`);
    const entries = await sync.list(topic);
    if (entries === undefined) throw new Error(`${attempt}: ${name} gave a malformed answer`);
    return entries;
  }

  // --- Events -----------------------------------------------------------------------------------

  /** Called with a control message of another process. */
  heard(topic: string, text: string): void {
    const room = this.#rooms.get(topic);
    if (room === undefined || room.view === null) return;
    const { joined, left } = parseChange(text, () => this.#relay?.ignore("malformed presence"));
    // An entry of this process may have expired while this process was busy. It enters again.
    room.apply({ joined, left: left.filter(({ id }) => !room.holds(id)) });
  }

  /** Called when the broker is back. It may have lost everything. */
  restored(): void {
    this.#sync?.renew();
  }

  /** Called when a server of the broker is back, which may have lost a topic. */
  missed(topic: string): void {
    const room = this.#rooms.get(topic);
    if (room !== undefined) this.#sync?.renew([room]);
  }

  /** Resolves when all who have left this process have left the broker, or after a timeout. */
  idle(): Promise<void> {
    return this.#sync === null ? DONE : this.#sync.idle();
  }
}
