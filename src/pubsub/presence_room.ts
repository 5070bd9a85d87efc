/**
 * The presence of one topic in this process.
 *
 * @module
 */
import type { PresenceChange, PresenceEntry } from "./brokers/broker.ts";
import {
  type PresenceEvent,
  type PresenceHook,
  type PresenceRequest,
  toPresent,
} from "./presence_entry.ts";
import { PresenceView } from "./presence_view.ts";
import type { Subscriber } from "./subscriber.ts";

/** An id with connections in this process. */
interface Held {
  info: string;
  /** How many subscribers have the id. */
  count: number;
}

/** The subscribers of a topic that are present or listen, in this process. */
export class PresenceRoom {
  /** The topic. */
  readonly topic: string;
  /** What the listeners know; `null` if nobody listens. */
  view: PresenceView | null = null;
  /** The ids that the broker may have from this process. */
  readonly entered: Set<string> = new Set();
  /** The ids that have changed since the broker was told. */
  readonly changed: Set<string> = new Set();
  /** When entries were last given to the broker, by the clock. */
  enteredAt = 0;
  /** Whether all entries are to be given to the broker again. */
  mustRenew = false;
  /** Whether the view is to be compared with the list of the broker. */
  mustCompare = false;
  readonly #ids: Map<Subscriber, string> = new Map();
  readonly #held: Map<string, Held> = new Map();
  readonly #listeners: Map<Subscriber, PresenceHook> = new Map();

  /** @param topic The topic. */
  constructor(topic: string) {
    this.topic = topic;
  }

  /** Whether no subscriber is present or listens. */
  get isEmpty(): boolean {
    return this.#held.size === 0 && this.#listeners.size === 0;
  }

  /** The number of ids with connections in this process. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether a subscriber is present or listens. */
  has(subscriber: Subscriber): boolean {
    return this.#ids.has(subscriber) || this.#listeners.has(subscriber);
  }

  /** Returns the entries of this process. */
  entries(): PresenceEntry[] {
    return [...this.#held].map(([id, { info }]) => ({ id, info }));
  }

  /** Whether a subscriber of this process has an id. */
  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Returns the entries of some ids, without those that no subscriber of this process has. */
  entriesOf(ids: Iterable<string>): PresenceEntry[] {
    return [...ids].flatMap((id) => {
      const held = this.#held.get(id);
      return held === undefined ? [] : { id, info: held.info };
    });
  }

  /** Sets what a subscriber has asked for. @returns What has changed in this process. */
  set(subscriber: Subscriber, { entry, hook }: PresenceRequest): PresenceChange {
    const isSame = this.#ids.get(subscriber) === entry?.id;
    const left = isSame ? [] : this.#leave(subscriber);
    if (hook === undefined) this.#listeners.delete(subscriber);
    else this.#listeners.set(subscriber, hook);
    this.view = this.#listeners.size === 0 ? null : this.view ?? new PresenceView();
    return { joined: entry === undefined ? [] : this.#enter(subscriber, entry, isSame), left };
  }

  /** Removes a subscriber. @returns What has changed in this process. */
  remove(subscriber: Subscriber): PresenceChange {
    return this.set(subscriber, NOTHING);
  }

  #enter(
    subscriber: Subscriber,
    { id, info }: PresenceEntry,
    isSame: boolean,
  ): PresenceEntry[] {
    const held = this.#held.get(id);
    this.#ids.set(subscriber, id);
    if (held?.info !== info) this.changed.add(id);
    if (held === undefined) {
      this.#held.set(id, { info, count: 1 });
      return [{ id, info }];
    }
    held.info = info;
    if (!isSame) held.count++;
    return [];
  }

  #leave(subscriber: Subscriber): PresenceEntry[] {
    const id = this.#ids.get(subscriber);
    const held = id === undefined ? undefined : this.#held.get(id);
    this.#ids.delete(subscriber);
    if (id === undefined || held === undefined || --held.count > 0) return [];
    this.#held.delete(id);
    this.changed.add(id);
    return [{ id, info: held.info }];
  }

  /** Applies a change at the broker, and calls the listeners. */
  apply(change: PresenceChange): void {
    if (this.view !== null) this.tell(this.view.apply(change));
  }

  /** Calls the listeners, in a microtask: a listener may be inside `subscribe`. */
  tell({ joined, left }: PresenceChange): void {
    if (this.#listeners.size === 0 || joined.length + left.length === 0) return;
    const events = [
      ...left.map((entry) => ({ type: "leave", entry }) as const),
      ...joined.map((entry) => ({ type: "join", entry }) as const),
    ];
    const listeners = [...this.#listeners];
    queueMicrotask(() => {
      for (const { type, entry } of events) {
        // Each listener gets an object of its own, which it may change.
        for (const each of listeners) this.#call(each, { type, ...toPresent(entry) });
      }
    });
  }

  #call([subscriber, hook]: readonly [Subscriber, PresenceHook], event: PresenceEvent): void {
    // A callback of another listener may have ended this subscription.
    if (this.#listeners.get(subscriber) !== hook) return;
    const { hookContext } = subscriber;
    const call = (): unknown => hook(event);
    subscriber.guard(() => hookContext === null ? call() : hookContext(call));
  }
}

const NOTHING: PresenceRequest = { entry: undefined, hook: undefined };
