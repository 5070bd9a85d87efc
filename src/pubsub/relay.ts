/**
 * Connects the topics of this process with those of other processes, through a broker.
 *
 * @module
 */
import {
  type Broker,
  BROKER_TIMEOUT,
  type BrokerEvents,
  type BrokerPresence,
  type BrokerStatus,
  type StoredAt,
} from "./brokers/broker.ts";
import { Envelope, seal, sealControl, SENDER_LENGTH } from "./brokers/envelope.ts";
import { guard, messageOf, toError } from "../guard.ts";
import type { PresenceRelay } from "./presence_sync.ts";
import { SUBSCRIBED, type Subscribed } from "./subscription.ts";
import type { RelayHistory, RelayLink } from "./relay_history.ts";
import type { Topics } from "./topics.ts";
import { Deadline, withDeadline } from "../timing/deadline.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";

/**
 * The counters of messages to and from other processes.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type RelayCounts } from "@waterspout/websocket";
 * import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
 *
 * const broker = broadcastChannelBroker("counters");
 * const app = new Application([], { broker });
 * app.publish("news", "Hello");
 * const counts: RelayCounts | undefined = app.stats().broker;
 * assert(counts?.sent === 1 && counts.dropped === 0);
 * await broker.close();
 * ```
 */
export interface RelayCounts {
  /** Messages sent to the broker. */
  sent: number;
  /** Messages of other processes that were sent to local subscribers. */
  received: number;
  /**
   * Messages that did not reach the broker: it was down or slow, or the message was too large. Also
   * requests for presence that failed.
   */
  dropped: number;
  /** Messages and answers of the broker that are not in our format, or damaged. */
  invalid: number;
  /** How often messages of a topic with a history were lost on the way from the broker. */
  gaps: number;
}

/** The application of a {@linkcode Relay}. */
export interface RelayOwner {
  /** The settings. Without `onBrokerStatus`, changes are logged. */
  readonly settings: {
    readonly onBrokerStatus: ((status: BrokerStatus, error?: Error) => unknown) | undefined;
  };
  /** The timers. */
  readonly wheel: TimingWheel;
  /** Writes to the log; never throws. */
  log(message: string, error?: unknown): void;
}

/** How long a broker may take to notice that its connection is lost, in milliseconds. */
const NOTICE_TIME = 100;

/** The most log lines about different failures. */
const MAX_LOGGED = 100;

/** The connection of an application to its broker. */
export class Relay implements BrokerEvents, PresenceRelay, RelayLink {
  /** See {@linkcode RelayCounts}. */
  readonly counts: RelayCounts = { sent: 0, received: 0, dropped: 0, invalid: 0, gaps: 0 };
  readonly #broker: Broker;
  readonly #topics: Topics;
  readonly #owner: RelayOwner;
  /** The history of the broker; `null` without the setting `history`. */
  history: RelayHistory | null = null;
  /** The sender of our messages. */
  readonly sender: Uint8Array = crypto.getRandomValues(new Uint8Array(SENDER_LENGTH));
  /** The topics subscribed to at the broker. */
  readonly #joined: Set<string> = new Set();
  /** The topics whose subscription is changing. */
  readonly #changing: Map<string, Promise<Subscribed>> = new Map();
  #status: BrokerStatus;
  /** How often the status was "down". */
  downs = 0;
  /** The keys of messages that were logged. Each is logged once. */
  readonly #logged: Set<string> = new Set();

  /**
   * @param broker The broker.
   * @param topics The topics of this process.
   * @param owner The application.
   * @throws {TypeError} If another application uses the broker.
   */
  constructor(broker: Broker, topics: Topics, owner: RelayOwner) {
    if (broker.events !== undefined) {
      throw new TypeError(`Cannot use ${broker.name}: another application uses this broker`);
    }
    this.#broker = broker;
    this.#topics = topics;
    this.#owner = owner;
    this.#status = broker.status;
    broker.events = this;
    if (this.#status === "down") this.#reportStatus("down");
  }

  /** The broker's name. */
  get name(): string {
    return this.#broker.name;
  }

  /** See {@linkcode Broker.presence}. */
  get presence(): BrokerPresence | undefined {
    return this.#broker.presence;
  }

  /** Whether messages reach other processes. */
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
      const result: unknown = this.#broker.publish(topic, seal(this.sender, topic, payload));
      // This message may have made the broker slow, which drops it.
      if (this.currentStatus === "up") this.counts.sent++;
      else this.counts.dropped++;
      return result;
    }, (error) => this.failed(toError(error)));
  }

  /** Sends a message to the applications of the other processes. */
  control(topic: string, text: string): void {
    guard(
      (): unknown => this.#broker.publish(topic, sealControl(this.sender, topic, text)),
      (error) => this.failed(toError(error)),
    );
  }

  // --- Which topics to receive ------------------------------------------------------------------

  /**
   * Subscribes to a topic at the broker if it has local subscribers, and unsubscribes if it has
   * none. While the broker is down, this waits until it is back.
   *
   * @returns Resolves when the change succeeded or failed, or after 5 seconds; at once while the broker
   * is down.
   */
  settle(topic: string): Promise<Subscribed> {
    const changing = this.#changing.get(topic);
    if (changing !== undefined) return changing;
    if (this.#status === "down" || this.#isSettled(topic)) return SUBSCRIBED;
    const change = this.#waited(topic, this.#change(topic));
    this.#changing.set(topic, change);
    return change;
  }

  /** Limits how long subscribers wait. The broker may still do it later. */
  async #waited(topic: string, change: Promise<Subscribed>): Promise<Subscribed> {
    try {
      return await withDeadline(() => change, {
        wheel: this.#owner.wheel,
        timeout: BROKER_TIMEOUT,
        late: () =>
          new Error(
            `Cannot subscribe to ${JSON.stringify(topic)} at ${this.name}: ` +
              `no answer within ${BROKER_TIMEOUT} ms`,
          ),
      });
    } catch (error) {
      this.report(error);
      return await SUBSCRIBED;
    }
  }

  #isSettled(topic: string): boolean {
    return this.#topics.has(topic) === this.#joined.has(topic);
  }

  async #change(topic: string): Promise<Subscribed> {
    // All changes in one microtask make one change at the broker.
    const subscribed = await SUBSCRIBED;
    // Subscribers may change while the broker works.
    while (!this.#isSettled(topic)) {
      const { downs } = this;
      try {
        await this.#step(topic);
      } catch (error) {
        // The connection was lost meanwhile, and is back.
        if (downs !== this.downs && this.#status !== "down") continue;
        this.report(error);
        this.history?.unjoined(topic);
        break;
      }
    }
    this.#changing.delete(topic);
    return subscribed;
  }

  async #step(topic: string): Promise<void> {
    if (this.#topics.has(topic)) {
      await this.#broker.subscribe(topic);
      this.#joined.add(topic);
      this.history?.joined(topic);
    } else {
      await this.#unsubscribe(topic);
    }
  }

  async #unsubscribe(topic: string): Promise<void> {
    this.history?.leaving(topic);
    try {
      await this.#broker.unsubscribe(topic);
      this.#joined.delete(topic);
    } catch (error) {
      // Still subscribed.
      this.history?.joined(topic);
      throw error;
    }
  }

  // --- Events of the broker ---------------------------------------------------------------------

  /** See {@linkcode BrokerEvents.message}. */
  message(data: unknown, stored?: StoredAt): void {
    if (stored !== undefined && this.history?.receive(stored, data)) return;
    const envelope = Envelope.open(data);
    if (envelope === undefined) return this.ignore("unknown format");
    if (envelope.isFrom(this.sender)) return;
    const { topic } = envelope;
    if (topic === undefined) return this.ignore("the topic is not UTF-8");
    if (!this.#topics.has(topic)) return;
    const { payload } = envelope;
    if (payload === undefined) return this.ignore("the text is not UTF-8");
    if (envelope.isControl) return this.#topics.presence?.heard(topic, String(payload));
    this.counts.received++;
    this.#topics.deliver(topic, payload);
  }

  /** See {@linkcode BrokerEvents.status}. */
  status(status: BrokerStatus, error?: Error): void {
    const before = this.#status;
    if (status === before) return;
    this.#status = status;
    if (status === "down") this.downs++;
    this.#reportStatus(status, error);
    if (status === "down" || before !== "down") return;
    for (const topic of this.#topics.names()) this.settle(topic);
    for (const topic of this.#joined) this.settle(topic);
    this.#topics.presence?.restored();
    this.history?.missed();
  }

  /** See {@linkcode BrokerEvents.missed}. */
  missed(topic: string): void {
    this.#topics.presence?.missed(topic);
    this.history?.missed(topic);
  }

  /** See {@linkcode BrokerEvents.failed}. */
  failed(error: Error): void {
    this.counts.dropped++;
    this.report(error);
  }

  // --- The log ----------------------------------------------------------------------------------

  #reportStatus(status: BrokerStatus, error?: Error): void {
    const owner = this.#owner;
    const { onBrokerStatus } = owner.settings;
    if (onBrokerStatus !== undefined) {
      guard(
        (): unknown => onBrokerStatus(status, error),
        (another) => owner.log("Uncaught exception in onBrokerStatus:", another),
      );
    } else if (status === "up") {
      owner.log(`${this.name} is up: messages reach other processes again`);
    } else if (status === "slow") {
      owner.log(
        `${this.name} is slow: messages to other processes are dropped until it has caught up`,
      );
    } else {
      owner.log(`${this.name} is down: messages reach only this process until it is back`, error);
    }
  }

  /** See `RelayLink.ignore`. */
  ignore(why: string): void {
    this.counts.invalid++;
    if (!this.#isNew("invalid")) return;
    this.#owner.log(`Ignored a message from ${this.name}: ${why} (further ones are only counted)`);
  }

  /** See `RelayLink.reportGap`. */
  reportGap(topic: string): void {
    this.#owner.log(`${this.name} has lost messages of ${JSON.stringify(topic)}: told to onGap`);
  }

  /**
   * See `RelayLink.report`. What fails together with the connection is not logged: the status tells
   * it.
   */
  report(error: unknown): void {
    if (this.#status === "down") return;
    const key = messageOf(error).slice(0, 64);
    if (!this.#isNew(key)) return;
    const { downs } = this;
    const report = () => {
      // It is logged if it happens again while the broker is up.
      if (downs !== this.downs) this.#logged.delete(key);
      else {this.#owner.log(
          `${this.name} failed (further failures of this kind are only counted):`,
          error,
        );}
    };
    this.#owner.wheel.set(new Deadline(report), NOTICE_TIME);
  }

  /** Whether nothing was logged under a key. There are at most {@linkcode MAX_LOGGED} keys. */
  #isNew(key: string): boolean {
    if (this.#logged.has(key) || this.#logged.size >= MAX_LOGGED) return false;
    this.#logged.add(key);
    return true;
  }
}
