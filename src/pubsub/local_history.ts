/**
 * The messages that this process keeps, without a broker.
 *
 * @module
 */
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { Broadcast } from "./broadcast.ts";
import type { Position } from "./brokers/broker.ts";
import type { Delivery, HistoryStore, Publication } from "./histories.ts";
import { type History, type HistoryOptions, readLog } from "./history.ts";
import type { HistoryRule } from "./history_settings.ts";
import { makeEpoch } from "./position.ts";
import type { RecoveryTarget } from "./recovery.ts";
import type { Subscribed } from "./subscription.ts";
import { TopicLog } from "./topic_log.ts";

/** The log of a topic, in the timing wheel until its oldest message expires. */
class LocalTopic implements Timed {
  before: Link | null = null;
  after: Link | null = null;
  deadline = 0;
  readonly topic: string;
  readonly log: TopicLog;
  readonly #store: LocalHistory;

  constructor(topic: string, log: TopicLog, store: LocalHistory) {
    this.topic = topic;
    this.log = log;
    this.#store = store;
  }

  expire(now: number): void {
    this.log.expire(now);
    this.#store.expired(this, now);
  }
}

/**
 * Keeps the messages in this process. A topic is kept while it has subscribers or messages. After
 * that, it begins again with another epoch.
 */
export class LocalHistory implements HistoryStore {
  readonly #delivery: Delivery;
  readonly #kept: Map<string, LocalTopic> = new Map();
  /**
   * The epoch of topics that have no log, before the topic is added. It changes when messages are
   * forgotten. So a position before the first message stays right until there was one.
   */
  #epoch: string = makeEpoch();
  #isClosed = false;

  /** @param delivery Delivers messages. */
  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  /** See {@linkcode HistoryStore.publish}. */
  publish({ topic, rule, payload, except }: Publication): Broadcast {
    const { clock } = this.#delivery.environment;
    const kept = this.#open(topic, rule);
    const now = clock.now();
    const entry = kept.log.append({
      payload: typeof payload === "string" ? payload : new Uint8Array(payload),
      time: Date.now(),
      at: now,
    });
    this.#arm(kept, now);
    return this.#delivery.deliver(kept.log, entry, { topic, except });
  }

  /** See {@linkcode HistoryStore.join}. */
  join(
    target: RecoveryTarget,
    rule: HistoryRule,
    since: Position | undefined,
  ): Promise<Subscribed> {
    return this.#delivery.recover(target, this.#open(target.topic, rule).log, since);
  }

  /** See {@linkcode HistoryStore.left}. */
  left(topic: string): void {
    const kept = this.#kept.get(topic);
    if (kept !== undefined) this.#forgetEmpty(kept);
  }

  /** See {@linkcode HistoryStore.read}. */
  read(topic: string, rule: HistoryRule, options: HistoryOptions): Promise<History> {
    const kept = this.#kept.get(topic);
    kept?.log.expire(this.#delivery.environment.clock.now());
    return Promise.resolve(readLog(kept?.log ?? this.#newLog(topic, rule), options));
  }

  /** See {@linkcode HistoryStore.close}. */
  close(): void {
    this.#isClosed = true;
    for (const kept of this.#kept.values()) this.#delivery.environment.wheel.remove(kept);
    this.#kept.clear();
  }

  /** Called when the oldest message of a topic has expired. */
  expired(kept: LocalTopic, now: number): void {
    if (!this.#forgetEmpty(kept)) this.#arm(kept, now);
  }

  #open(topic: string, rule: HistoryRule): LocalTopic {
    const known = this.#kept.get(topic);
    if (known !== undefined) {
      known.log.expire(this.#delivery.environment.clock.now());
      return known;
    }
    const kept = new LocalTopic(topic, this.#newLog(topic, rule), this);
    if (!this.#isClosed) this.#kept.set(topic, kept);
    return kept;
  }

  #newLog(topic: string, rule: HistoryRule): TopicLog {
    return new TopicLog(rule, { epoch: `${this.#epoch}${hashOf(topic)}`, offset: 0 });
  }

  /** Forgets a topic without messages and subscribers. Returns whether it did. */
  #forgetEmpty(kept: LocalTopic): boolean {
    const { topics, environment } = this.#delivery;
    if (kept.log.length > 0 || topics.has(kept.topic)) return false;
    environment.wheel.remove(kept);
    this.#kept.delete(kept.topic);
    if (kept.log.last > 0) this.#epoch = makeEpoch();
    return true;
  }

  #arm(kept: LocalTopic, now: number): void {
    const { expiry, length, rule: { ttl } } = kept.log;
    // A message that is too large to be kept leaves an empty topic, which is forgotten too.
    const isLeft = length === 0 && ttl !== 0 && !this.#delivery.topics.has(kept.topic);
    const due = expiry ?? (isLeft ? now + ttl : undefined);
    if (due === undefined || kept.deadline !== 0 || this.#isClosed) return;
    this.#delivery.environment.wheel.set(kept, due - now);
  }
}

/** Returns a hash of a topic (FNV-1a): topics have different epochs. */
function hashOf(topic: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < topic.length; i++) {
    hash = Math.imul(hash ^ topic.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0).toString(36);
}
