/**
 * The interface of brokers, which carry messages between the processes of a service.
 *
 * @module
 */

/** How long an application waits for an answer of a broker, in milliseconds. */
export const BROKER_TIMEOUT: number = 5000;

/**
 * Whether messages reach other processes:
 *
 * - `"up"`: yes;
 * - `"slow"`: no. The broker is reachable, but too many messages wait for its acknowledgement, so
 *   new ones are dropped;
 * - `"down"`: no. The broker is not reachable, so messages are dropped.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type BrokerStatus } from "@waterspout/websocket";
 *
 * let current: BrokerStatus = "up";
 * new Application([], { onBrokerStatus: (status) => current = status });
 * assert(current === "up");
 * ```
 */
export type BrokerStatus = "up" | "slow" | "down";

/**
 * The events of a {@linkcode Broker}. The application implements them, and a broker calls them.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { BrokerEvents } from "@waterspout/websocket";
 *
 * // A broker calls this when its server sends a message.
 * function received(events: BrokerEvents | undefined, data: Uint8Array): void {
 *   events?.message(data);
 * }
 * assert(received.length === 2);
 * ```
 */
export interface BrokerEvents {
  /**
   * A message has arrived for a subscribed topic, from any sender.
   *
   * @param data The bytes that were published.
   * @param stored Where a {@linkcode BrokerHistory} has stored it; absent if it was only published.
   */
  message(data: unknown, stored?: StoredAt): void;
  /** The status has changed. `"up"` means that all subscriptions are active again. */
  status(status: BrokerStatus, error?: Error): void;
  /**
   * Messages of a topic may have been lost although the status was not `"down"`, for example
   * because one of several servers was away. The subscription is active again. If the topic has a
   * history, the application reads what is missing.
   */
  missed?(topic: string): void;
  /**
   * A message or a subscription failed, although the broker is reachable. The application does not
   * log it if the broker reports `"down"` at that time or within 100 ms.
   */
  failed(error: Error): void;
}

/**
 * A place in the history of a topic. Offsets count the messages of an epoch: the first has offset 1,
 * and 0 is the place before it. A topic gets another epoch when messages were lost, so positions of
 * the old one may be worthless.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { Position } from "@waterspout/websocket";
 *
 * const position: Position = JSON.parse('{"epoch":"5fQk2w","offset":17}');
 * assert(position.offset === 17);
 * ```
 */
export interface Position {
  /** The epoch: 1 to 64 characters. */
  readonly epoch: string;
  /** The number of messages of the epoch up to this place: a non-negative integer. */
  readonly offset: number;
}

/**
 * The topic and the position of a message that a broker has stored.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { StoredAt } from "@waterspout/websocket";
 *
 * const stored: StoredAt = { topic: "news", epoch: "5fQk2w", offset: 17 };
 * assertEquals(stored.topic, "news");
 * ```
 */
export interface StoredAt extends Position {
  /** The topic. */
  readonly topic: string;
}

/**
 * How much of a topic is kept.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { HistoryLimits } from "@waterspout/websocket";
 *
 * const limits: HistoryLimits = { size: 100, ttl: 300_000, maxBytes: 1024 * 1024 };
 * assertEquals(limits.size, 100);
 * ```
 */
export interface HistoryLimits {
  /** The largest number of messages. */
  readonly size: number;
  /** How long a message is kept, in milliseconds; 0 is no limit. */
  readonly ttl: number;
  /** The largest number of bytes of all kept messages of the topic. */
  readonly maxBytes: number;
}

/**
 * A message that a broker keeps.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { KeptMessage } from "@waterspout/websocket";
 *
 * const kept: KeptMessage = { offset: 1, time: Date.now(), message: Uint8Array.of(1, 2) };
 * assertEquals(kept.offset, 1);
 * ```
 */
export interface KeptMessage {
  /** Its offset in the current epoch. */
  readonly offset: number;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
  /** The bytes that were published. */
  readonly message: Uint8Array;
}

/**
 * Kept messages of a topic.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { HistoryPage } from "@waterspout/websocket";
 *
 * // A topic without messages.
 * const page: HistoryPage = {
 *   position: { epoch: "5fQk2w", offset: 0 },
 *   complete: false,
 *   messages: [],
 * };
 * assertEquals(page.messages.length, 0);
 * ```
 */
export interface HistoryPage {
  /** The position of the newest message, kept or not. */
  readonly position: Position;
  /**
   * Whether every message after `since` is in `messages`. `false` without `since`, and if the
   * position is too old, in the future, or of an epoch that does not lead to the current one.
   */
  readonly complete: boolean;
  /** The messages after `since`, the oldest first. All kept messages if it is not `complete`. */
  readonly messages: readonly KeptMessage[];
}

/**
 * The history of a {@linkcode Broker}. Every process sees the messages of a topic at the same
 * positions. No method may wait without a timeout.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { BrokerHistory, KeptMessage, Position } from "@waterspout/websocket";
 *
 * // The history of a single topic, without limits.
 * class OneTopic implements BrokerHistory {
 *   readonly #messages: KeptMessage[] = [];
 *
 *   append(_topic: string, message: Uint8Array): Promise<Position> {
 *     const offset = this.#messages.length + 1;
 *     this.#messages.push({ offset, time: Date.now(), message });
 *     return Promise.resolve({ epoch: "only", offset });
 *   }
 *   read(_topic: string, since?: Position) {
 *     const complete = since?.epoch === "only" && since.offset <= this.#messages.length;
 *     return Promise.resolve({
 *       position: { epoch: "only", offset: this.#messages.length },
 *       complete,
 *       messages: this.#messages.slice(complete ? since.offset : 0),
 *     });
 *   }
 * }
 *
 * const history = new OneTopic();
 * const first = await history.append("news", Uint8Array.of(1));
 * await history.append("news", Uint8Array.of(2));
 * const { messages } = await history.read("news", first);
 * assertEquals(messages.map(({ offset }) => offset), [2]);
 * ```
 */
export interface BrokerHistory {
  /**
   * Stores a message and sends it to every process that subscribes to the topic, this one included.
   * A message may arrive twice or not at all; the application reads what is missing.
   *
   * @param topic The topic.
   * @param message The bytes. They do not change later.
   * @param limits How much is kept.
   * @returns Its position. Rejects if the message was not stored, or if that is not known.
   */
  append(topic: string, message: Uint8Array, limits: HistoryLimits): Promise<Position>;
  /**
   * Reads the kept messages.
   *
   * @param topic The topic.
   * @param since The position of the last known message. Default: before all kept messages.
   */
  read(topic: string, since?: Position): Promise<HistoryPage>;
}

/**
 * Who is present: an id with information.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { PresenceEntry } from "@waterspout/websocket";
 *
 * const ada: PresenceEntry = { id: "ada", info: JSON.stringify({ name: "Ada" }) };
 * assertEquals(JSON.parse(ada.info), { name: "Ada" });
 * ```
 */
export interface PresenceEntry {
  /** The id. */
  readonly id: string;
  /** The information as JSON text. */
  readonly info: string;
}

/**
 * What a call of {@linkcode BrokerPresence} has changed. Each change is told to one caller.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { PresenceChange } from "@waterspout/websocket";
 *
 * const nothing: PresenceChange = { joined: [], left: [] };
 * assertEquals(nothing.joined.length, 0);
 * ```
 */
export interface PresenceChange {
  /** The entries of ids that no process held before. */
  readonly joined: readonly PresenceEntry[];
  /** The entries of ids that no process holds any more: left or expired. */
  readonly left: readonly PresenceEntry[];
}

/**
 * The presence of a {@linkcode Broker}: a table of ids by topic. An id that several processes hold
 * is one presence. Entries of a process that does not renew them expire. No method may wait without
 * a timeout.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { BrokerPresence, PresenceEntry } from "@waterspout/websocket";
 *
 * // The presence of a single process and topic, without expiry.
 * class OneProcess implements BrokerPresence {
 *   readonly #entries = new Map<string, PresenceEntry>();
 *
 *   enter(_topic: string, entries: readonly PresenceEntry[]) {
 *     const joined = entries.filter(({ id }) => !this.#entries.has(id));
 *     for (const entry of entries) this.#entries.set(entry.id, entry);
 *     return Promise.resolve({ joined, left: [] });
 *   }
 *   leave(_topic: string, ids: readonly string[]) {
 *     const left = [...this.#entries.values()].filter(({ id }) => ids.includes(id));
 *     for (const { id } of left) this.#entries.delete(id);
 *     return Promise.resolve({ joined: [], left });
 *   }
 *   list() {
 *     return Promise.resolve([...this.#entries.values()]);
 *   }
 * }
 *
 * const presence = new OneProcess();
 * await presence.enter("room", [{ id: "ada", info: "null" }]);
 * assertEquals((await presence.list()).map(({ id }) => id), ["ada"]);
 * ```
 */
export interface BrokerPresence {
  /**
   * Adds or renews entries of this process. A new `info` replaces the old one.
   *
   * @param topic The topic.
   * @param entries The entries.
   * @param ttl When they expire if they are not renewed, in milliseconds.
   */
  enter(topic: string, entries: readonly PresenceEntry[], ttl: number): Promise<PresenceChange>;
  /** Removes entries of this process. Unknown ids are ignored. */
  leave(topic: string, ids: readonly string[]): Promise<PresenceChange>;
  /** Lists the entries of all processes, one for each id. */
  list(topic: string): Promise<readonly PresenceEntry[]>;
}

/**
 * Connects the topics of several processes. A message arrives once or not at all. Messages of one
 * publisher to one topic arrive in order.
 *
 * An implementation only passes bytes on. The application decides who gets a message and what is
 * logged.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import type { Broker } from "@waterspout/websocket";
 *
 * // A broker for a single process.
 * const alone: Broker = {
 *   name: "nobody",
 *   status: "up",
 *   events: undefined,
 *   publish() {},
 *   subscribe() {},
 *   unsubscribe() {},
 *   close: () => Promise.resolve(),
 * };
 * new Application([], { broker: alone });
 * ```
 */
export interface Broker {
  /** The name and address for logs and statistics, without secrets: `"Redis at 10.0.0.7:6379"`. */
  readonly name: string;
  /** Whether messages reach other processes. */
  readonly status: BrokerStatus;
  /** The receiver of events. Set by the application; a broker serves only one. */
  events: BrokerEvents | undefined;
  /**
   * Sends a message to every process that subscribes to the topic. The sender may get it back.
   * While the broker is down or slow, the message is dropped. Before this returns, `status` must be
   * up to date and reported.
   *
   * @param topic A string of 1 to 256 code units, without lone surrogates.
   * @param message The bytes. They do not change later.
   * @throws {Error} If this message cannot be sent, for example because it is too large.
   */
  publish(topic: string, message: Uint8Array): void;
  /**
   * Subscribes to a topic. Not called while the broker is down, and not called again before
   * {@linkcode Broker.unsubscribe}, unless it has failed: a message must not arrive twice then.
   * Subscriptions must survive a reconnection.
   *
   * @returns Resolves when the subscription is active. May reject if the connection is lost.
   */
  subscribe(topic: string): Promise<void> | void;
  /** Unsubscribes from a topic. */
  unsubscribe(topic: string): Promise<void> | void;
  /** Keeps messages. Absent if the broker cannot; then the setting `history` is refused. */
  readonly history?: BrokerHistory;
  /** Knows who is subscribed. Absent if the broker cannot; then presence is refused. */
  readonly presence?: BrokerPresence;
  /** Closes the broker. Idempotent. A connection that the user passed in stays open. */
  close(): Promise<void>;
}
