/**
 * The topics that keep their messages.
 *
 * @module
 */
import { type Message, toPayload } from "../connection/message.ts";
import { guard, requireSync } from "../guard.ts";
import type { Clock } from "../timing/clock.ts";
import type { TimingWheel } from "../timing/timing_wheel.ts";
import { type Broadcast, type Pace, StoredBroadcast } from "./broadcast.ts";
import type { Position } from "./brokers/broker.ts";
import type { History, HistoryOptions } from "./history.ts";
import type { HistoryRule } from "./history_settings.ts";
import { Recovery, RecoveryQueue, type RecoveryTarget } from "./recovery.ts";
import type { Recovering, Subscriber, SubscriptionPolicies } from "./subscriber.ts";
import type { Subscribed } from "./subscription.ts";
import type { LogEntry, TopicLog } from "./topic_log.ts";
import type { TopicRules } from "./topic_rules.ts";

/** A message to publish. */
export interface Publication {
  /** The topic. */
  readonly topic: string;
  /** Its rule. */
  readonly rule: HistoryRule;
  /** The message. The publisher may change its bytes later. */
  readonly payload: string | Uint8Array;
  /** A subscriber that does not get it. */
  readonly except: Subscriber | undefined;
}

/** What keeps the messages: this process, or a broker. */
export interface HistoryStore {
  /** Stores a message and delivers it. */
  publish(publication: Publication): Broadcast;
  /** Begins a subscription, which `Topics` has already. */
  join(target: RecoveryTarget, rule: HistoryRule, since: Position | undefined): Promise<Subscribed>;
  /** Called when a topic has no subscribers any more. */
  left(topic: string): void;
  /** See `Application.history`. */
  read(topic: string, rule: HistoryRule, options: HistoryOptions): Promise<History>;
  /** Forgets everything, and stops all timers. */
  close(): void;
}

/** The topics of this process, as stores use them. */
export interface LocalTopics {
  /** Whether a topic has subscribers. */
  has(topic: string): boolean;
  /** Returns the subscribers of a topic, in a new array. */
  members(topic: string): readonly Subscriber[];
  /** Sends a message to the subscribers of a topic. */
  send(topic: string, broadcast: Broadcast, except: Subscriber | undefined): void;
}

/** What a store needs. */
export interface HistoryEnvironment extends Pace {
  /** The clock. */
  readonly clock: Clock;
  /** The timers. */
  readonly wheel: TimingWheel;
  /** Writes to the log; never throws. */
  log(message: string, error?: unknown): void;
}

/** What all stores do alike: format, deliver and recover. */
export class Delivery {
  /** The subscribers. */
  readonly topics: LocalTopics;
  /** Timers and log. */
  readonly environment: HistoryEnvironment;
  /** Called when a message could not be formatted. */
  onUnformatted: () => void = () => {};
  readonly #queue: RecoveryQueue;

  /** @param topics The topics. @param environment Timers and log. */
  constructor(topics: LocalTopics, environment: HistoryEnvironment) {
    this.topics = topics;
    this.environment = environment;
    this.#queue = new RecoveryQueue(
      environment.turns,
      (log, sequence, entry) => this.#outgoing(log, sequence, entry),
    );
  }

  /**
   * Delivers the newest message of a log to subscribers that are not recovering. What is published
   * meanwhile, by a format or because a write has closed a subscriber, comes after it.
   *
   * @param entry The message, even if it is too large to be kept.
   */
  deliver(
    log: TopicLog,
    entry: LogEntry,
    { topic, except }: Pick<Publication, "topic" | "except">,
  ): Broadcast {
    const position = Promise.resolve(log.position);
    const sequence = log.last;
    const isInner = log.isDelivering;
    log.isDelivering = true;
    try {
      const payload = this.#outgoing(log, sequence, entry);
      const pace = this.environment;
      const broadcast = new StoredBroadcast(topic, payload ?? "", { pace, position });
      except?.policies?.get(topic)?.recovery?.own(sequence);
      if (payload === null) return broadcast;
      if (isInner) log.delayed.push(() => this.topics.send(topic, broadcast, except));
      else this.topics.send(topic, broadcast, except);
      return broadcast;
    } finally {
      if (!isInner) this.#finish(log);
    }
  }

  #finish(log: TopicLog): void {
    try {
      for (let send = log.delayed.shift(); send !== undefined; send = log.delayed.shift()) send();
    } finally {
      log.isDelivering = false;
    }
  }

  /** Recovers a subscriber from a log, or begins at its end. */
  recover(target: RecoveryTarget, log: TopicLog, since: Position | undefined): Promise<Subscribed> {
    log.expire(this.environment.clock.now());
    const sequence = since === undefined ? undefined : log.sequenceOf(since);
    if (sequence === undefined || sequence === log.last) {
      return Promise.resolve({ recovered: sequence !== undefined, position: log.position });
    }
    const recovery = new Recovery(target, log, sequence, this.#queue);
    setRecovery(target, recovery);
    recovery.resume();
    return recovery.promise;
  }

  /** Tells the subscribers of a topic that messages were lost. Recoveries end. */
  tellGaps(topic: string, position: Position): void {
    for (const subscriber of this.topics.members(topic)) {
      const recovery = subscriber.policies?.get(topic)?.recovery;
      if (recovery) recovery.resume();
      else this.tellGap({ subscriber, topic }, position);
    }
  }

  /** Tells one subscriber. */
  tellGap({ subscriber, topic }: RecoveryTarget, position: Position): void {
    const onGap = subscriber.policies?.get(topic)?.onGap;
    if (onGap === undefined) return;
    const { hookContext } = subscriber;
    const call = (): unknown => onGap(position);
    subscriber.guard(() => hookContext === null ? call() : hookContext(call));
  }

  /** Makes what subscribers get, once for each message. */
  #outgoing(log: TopicLog, sequence: number, entry: LogEntry): string | Uint8Array | null {
    const { payload, outgoing } = entry;
    if (outgoing !== undefined || payload === undefined) return outgoing ?? null;
    const { format } = log.rule;
    if (format === undefined) return entry.outgoing = payload;
    const make = () => copyOf(requireSync("format", format(payload, log.positionOf(sequence))));
    const made = guard(make, (error) => {
      this.environment.log("Uncaught exception in format of the setting history:", error);
      this.onUnformatted();
    });
    return entry.outgoing = made ?? null;
  }
}

/** Returns the text or a copy of the bytes: the application may change its own bytes. */
function copyOf(message: Message): string | Uint8Array {
  const payload = toPayload(message);
  return typeof payload === "string" ? payload : new Uint8Array(payload);
}

/** Excludes a subscriber from what is published, until the recovery is over. */
export function setRecovery({ subscriber, topic }: RecoveryTarget, recovery: Recovering): void {
  const policies: SubscriptionPolicies = subscriber.policies ??= new Map();
  const policy = policies.get(topic);
  if (policy !== undefined) policy.recovery = recovery;
  else policies.set(topic, { whenSlow: "close", latest: undefined, onGap: undefined, recovery });
}

/** Which topics keep their messages, and what keeps them. */
export class Histories {
  /** What keeps the messages. */
  readonly store: HistoryStore;
  readonly #rules: TopicRules;

  /** @param rules The rules of topics. @param store What keeps the messages. */
  constructor(rules: TopicRules, store: HistoryStore) {
    this.#rules = rules;
    this.store = store;
  }

  /** Returns the rule of a topic; `null` if it has no history. */
  ruleOf(topic: string): HistoryRule | null {
    return this.#rules.of(topic);
  }

  /** Called when a topic has no subscribers any more. */
  left(topic: string): void {
    if (this.ruleOf(topic) !== null) this.store.left(topic);
    this.#rules.forget(topic);
  }
}
