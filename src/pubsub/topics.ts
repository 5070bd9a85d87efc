/**
 * Who subscribes to what in this process.
 *
 * @module
 */
import type { Connection } from "../server/server_connection.ts";
import { type Message, toPayload } from "../connection/message.ts";
import { Broadcast, type Published } from "./broadcast.ts";
import { add, count, has, remove } from "./small_set.ts";
import type { Relay } from "./relay.ts";
import { checkTopic } from "./topic.ts";

/** What becomes of a message to nobody. */
const NOBODY: Published = Object.freeze({ sent: 0, unsupported: 0 });

/** The answer of a subscription that is complete. */
const DONE: Promise<void> = Promise.resolve();

/**
 * The topics of an application. A topic is there while it has subscribers; subscribing and leaving
 * cost O(1), publishing O(subscribers of the topic).
 */
export class Topics {
  /** What joins them with those of other processes, if something does. */
  relay: Relay | null = null;
  /** How many subscriptions there are, over all topics. */
  subscriptions = 0;
  readonly #subscribers: Map<string, Connection | Set<Connection>> = new Map();

  /** See `WebSocketHandler.subscribe`. */
  subscribe(connection: Connection, topic: string): Promise<void> {
    checkTopic(topic, "subscribe to");
    if (!connection.isOpen) return refuseUnopened(connection, topic);
    const subscribers = this.#subscribers.get(topic);
    if (!has(subscribers, connection)) {
      const joined = add(subscribers, connection);
      if (joined !== subscribers) this.#subscribers.set(topic, joined);
      connection.topics = add(connection.topics, topic);
      this.subscriptions++;
    }
    return this.relay === null ? DONE : this.relay.settle(topic);
  }

  /** See `WebSocketHandler.unsubscribe`. */
  unsubscribe(connection: Connection, topic: string): void {
    checkTopic(topic, "unsubscribe from");
    if (!has(connection.topics, topic)) return;
    connection.topics = remove(connection.topics, topic);
    this.#remove(connection, topic);
  }

  /** Takes a connection out of all its topics. */
  leave(connection: Connection): void {
    const { topics } = connection;
    connection.topics = undefined;
    if (topics instanceof Set) { for (const topic of topics) this.#remove(connection, topic); }
    else if (topics !== undefined) this.#remove(connection, topics);
  }

  #remove(connection: Connection, topic: string): void {
    this.subscriptions--;
    const left = remove(this.#subscribers.get(topic), connection);
    if (left !== undefined) return;
    this.#subscribers.delete(topic);
    this.relay?.settle(topic);
  }

  /** How many topics have subscribers. */
  get size(): number {
    return this.#subscribers.size;
  }

  /** The topics that have subscribers. */
  names(): Iterable<string> {
    return this.#subscribers.keys();
  }

  /** Whether a topic has subscribers. */
  has(topic: string): boolean {
    return this.#subscribers.has(topic);
  }

  /** How many connections subscribe to a topic. */
  count(topic: string): number {
    checkTopic(topic, "count the subscribers of");
    return count(this.#subscribers.get(topic));
  }

  /**
   * Sends a message to the subscribers of a topic, here and in other processes.
   *
   * @param topic The topic.
   * @param message The message.
   * @param except Who does not get it.
   */
  publish(topic: string, message: Message, except?: Connection): Published {
    checkTopic(topic, "publish to");
    const payload = toPayload(message);
    const published = this.deliver(topic, payload, except);
    this.relay?.publish(topic, payload);
    return published;
  }

  /** Sends a message to the subscribers of a topic in this process. */
  deliver(topic: string, payload: string | Uint8Array, except?: Connection): Published {
    const subscribers = this.#subscribers.get(topic);
    if (subscribers === undefined) return NOBODY;
    const broadcast = new Broadcast(payload);
    if (subscribers instanceof Set) {
      // Those who leave meanwhile, since they were too slow or their `onClose` ends others, are
      // not met any more: a Set can be changed while it is walked.
      for (const connection of subscribers) if (connection !== except) broadcast.to(connection);
    } else if (subscribers !== except) broadcast.toOne(subscribers);
    return broadcast;
  }
}

/** A connection that ends has left its topics and joins none; one that opens is asked too early. */
function refuseUnopened(connection: Connection, topic: string): Promise<void> {
  if (connection.isOpening) {
    throw new TypeError(
      `Cannot subscribe to ${JSON.stringify(topic)}: the handshake is not over; do it in open()`,
    );
  }
  return DONE;
}
