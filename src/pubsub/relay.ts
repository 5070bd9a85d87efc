/**
 * Joins the topics of this process with those of the others, through a broker.
 *
 * @module
 */
import type { Broker, BrokerEvents, BrokerStatus } from "./brokers/broker.ts";
import { Envelope, seal, SENDER_LENGTH } from "./brokers/envelope.ts";
import { guard, messageOf, toError } from "../guard.ts";
import type { Topics } from "./topics.ts";

const DONE: Promise<void> = Promise.resolve();

/** What a {@linkcode Relay} has done. */
export interface RelayCounts {
  /** Messages given to the broker. */
  sent: number;
  /** Messages of other processes, given to local subscribers. */
  received: number;
  /** Messages that were not given to the broker: it was away or slow, or they were too large. */
  dropped: number;
  /** What was on the broker's channels and is not one of our messages, or not whole. */
  invalid: number;
}

/** Whom a {@linkcode Relay} tells of what happens. */
export interface RelayOwner {
  /** Its settings: who is told instead of the log, if anybody is. */
  readonly settings: {
    readonly onBrokerStatus: ((status: BrokerStatus, error?: Error) => unknown) | undefined;
  };
  /** Writes to the log; never throws. */
  log(message: string, error?: unknown): void;
}

/** One application's place at a broker. */
export class Relay implements BrokerEvents {
  /** See {@linkcode RelayCounts}. */
  readonly counts: RelayCounts = { sent: 0, received: 0, dropped: 0, invalid: 0 };
  readonly #broker: Broker;
  readonly #topics: Topics;
  readonly #owner: RelayOwner;
  readonly #sender: Uint8Array = crypto.getRandomValues(new Uint8Array(SENDER_LENGTH));
  /** The topics subscribed to at the broker. */
  readonly #joined: Set<string> = new Set();
  /** Those whose subscription is being changed. */
  readonly #changing: Map<string, Promise<void>> = new Map();
  #status: BrokerStatus;
  /** What has been said already, so that it is said once. */
  readonly #said: Set<string> = new Set();

  /**
   * @param broker The broker.
   * @param topics The topics of this process.
   * @param owner Whom to tell of what happens.
   * @throws {TypeError} If another application uses the broker.
   */
  constructor(broker: Broker, topics: Topics, owner: RelayOwner) {
    if (broker.events !== undefined) {
      throw new TypeError(`Cannot use ${broker.name}: a broker serves one application`);
    }
    this.#broker = broker;
    this.#topics = topics;
    this.#owner = owner;
    this.#status = broker.status;
    broker.events = this;
    if (this.#status === "down") this.#tell("down");
  }

  /** The broker's name. */
  get name(): string {
    return this.#broker.name;
  }

  /** Whether messages reach other processes at present. */
  get currentStatus(): BrokerStatus {
    return this.#status;
  }

  /** Sends a message to the other processes. */
  publish(topic: string, payload: string | Uint8Array): void {
    if (this.#status !== "up") {
      this.counts.dropped++;
      return;
    }
    guard((): unknown => {
      const result: unknown = this.#broker.publish(topic, seal(this.#sender, topic, payload));
      // It may have been one too many.
      if (this.currentStatus === "up") this.counts.sent++;
      else this.counts.dropped++;
      return result;
    }, (error) => this.failed(toError(error)));
  }

  // --- Which topics to receive ------------------------------------------------------------------

  /**
   * Subscribes at the broker if a topic has local subscribers, unsubscribes if it has none. While
   * the broker is away, that waits for its return.
   *
   * @returns Resolves when it is done or has failed; at once while the broker is away.
   */
  settle(topic: string): Promise<void> {
    const changing = this.#changing.get(topic);
    if (changing !== undefined) return changing;
    if (this.#status === "down" || this.#isSettled(topic)) return DONE;
    const change = this.#change(topic);
    this.#changing.set(topic, change);
    return change;
  }

  #isSettled(topic: string): boolean {
    return this.#topics.has(topic) === this.#joined.has(topic);
  }

  async #change(topic: string): Promise<void> {
    // The subscribers who come and go in one turn make one change.
    await DONE;
    try {
      // More may come and go while the broker works.
      while (!this.#isSettled(topic)) await this.#step(topic);
    } catch (error) {
      this.#report(error);
    } finally {
      this.#changing.delete(topic);
    }
  }

  async #step(topic: string): Promise<void> {
    if (this.#topics.has(topic)) {
      await this.#broker.subscribe(topic);
      this.#joined.add(topic);
    } else {
      await this.#broker.unsubscribe(topic);
      this.#joined.delete(topic);
    }
  }

  // --- Events of the broker ---------------------------------------------------------------------

  /** See {@linkcode BrokerEvents.message}. */
  message(data: unknown): void {
    const envelope = Envelope.open(data);
    if (envelope === undefined) return this.#ignore("not one of ours, or not whole");
    if (envelope.isFrom(this.#sender)) return;
    const { topic } = envelope;
    if (topic === undefined) return this.#ignore("its topic is not UTF-8");
    if (!this.#topics.has(topic)) return;
    const { payload } = envelope;
    if (payload === undefined) return this.#ignore("its text is not UTF-8");
    this.counts.received++;
    this.#topics.deliver(topic, payload);
  }

  /** See {@linkcode BrokerEvents.status}. */
  status(status: BrokerStatus, error?: Error): void {
    const before = this.#status;
    if (status === before) return;
    this.#status = status;
    this.#tell(status, error);
    if (status === "down" || before !== "down") return;
    for (const topic of this.#topics.names()) this.settle(topic);
    for (const topic of this.#joined) this.settle(topic);
  }

  /** See {@linkcode BrokerEvents.failed}. */
  failed(error: Error): void {
    this.counts.dropped++;
    this.#report(error);
  }

  // --- What is said -----------------------------------------------------------------------------

  #tell(status: BrokerStatus, error?: Error): void {
    const owner = this.#owner;
    const { onBrokerStatus } = owner.settings;
    if (onBrokerStatus !== undefined) {
      guard(
        (): unknown => onBrokerStatus(status, error),
        (another) => owner.log("Uncaught exception in onBrokerStatus:", another),
      );
    } else if (status === "up") {
      owner.log(`${this.name} is back: messages reach other processes again`);
    } else if (status === "slow") {
      owner.log(
        `${this.name} does not keep up: messages for other processes are dropped until it does`,
      );
    } else {
      owner.log(`${this.name} is away: messages reach this process alone until it is back`, error);
    }
  }

  #ignore(why: string): void {
    this.counts.invalid++;
    this.#once("invalid", `Ignored a message on ${this.name}: ${why}; others will only be counted`);
  }

  #report(error: unknown): void {
    const key = messageOf(error).slice(0, 64);
    this.#once(key, `${this.name} failed; the same will only be counted:`, error);
  }

  /** Says something unless it was said before. */
  #once(key: string, message: string, error?: unknown): void {
    if (this.#said.has(key) || this.#said.size >= 100) return;
    this.#said.add(key);
    this.#owner.log(message, error);
  }
}
