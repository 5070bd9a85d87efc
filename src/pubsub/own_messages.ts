/**
 * The messages that subscribers of this process have published, and do not get themselves.
 *
 * @module
 */
import { has } from "./small_set.ts";
import type { Subscriber } from "./subscriber.ts";

/** How many messages of a topic are remembered until the broker sends them back. */
const MOST = 1000;

/** Finds the publisher of a message that the broker sends back. */
export class OwnMessages {
  #sequence = 0;
  readonly #publishers: Map<string, Map<number, Subscriber>> = new Map();

  /**
   * Remembers the publisher of a message, if it subscribes to the topic.
   *
   * @returns The sequence number of the message.
   */
  add(topic: string, publisher: Subscriber | undefined): number {
    const sequence = this.#sequence = (this.#sequence + 1) >>> 0;
    if (publisher === undefined || !has(publisher.topics, topic)) return sequence;
    const publishers = this.#publishers.get(topic) ?? new Map<number, Subscriber>();
    this.#publishers.set(topic, publishers);
    // The oldest ones were lost, or not stored.
    for (const oldest of publishers.keys()) {
      if (publishers.size < MOST) break;
      publishers.delete(oldest);
    }
    publishers.set(sequence, publisher);
    return sequence;
  }

  /** Returns the publisher of a message, and forgets it. */
  take(topic: string, sequence: number | undefined): Subscriber | undefined {
    const publishers = this.#publishers.get(topic);
    if (publishers === undefined || sequence === undefined) return undefined;
    const publisher = publishers.get(sequence);
    publishers.delete(sequence);
    if (publishers.size === 0) this.#publishers.delete(topic);
    return publisher;
  }

  /** Forgets the publishers of a topic. */
  forget(topic: string): void {
    this.#publishers.delete(topic);
  }
}
