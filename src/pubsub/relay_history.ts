/**
 * The messages that a broker keeps.
 *
 * @module
 */
import { ignorable } from "../connection/writer.ts";
import { Deadline, withDeadline } from "../timing/deadline.ts";
import { type Broadcast, StoredBroadcast } from "./broadcast.ts";
import {
  BROKER_TIMEOUT,
  type BrokerHistory,
  type BrokerStatus,
  type HistoryPage,
  type Position,
} from "./brokers/broker.ts";
import { Envelope, seal } from "./brokers/envelope.ts";
import { type Delivery, type HistoryStore, type Publication, setRecovery } from "./histories.ts";
import { type History, type HistoryMessage, type HistoryOptions, limited } from "./history.ts";
import type { HistoryRule } from "./history_settings.ts";
import { Mirror, type MirrorHost } from "./mirror.ts";
import { OwnMessages } from "./own_messages.ts";
import { PendingSubscription, type PendingSubscriptions } from "./pending_subscription.ts";
import { isPosition } from "./position.ts";
import type { RecoveryTarget } from "./recovery.ts";
import { checkPage, checkStored } from "./stored_page.ts";
import type { Subscribed } from "./subscription.ts";
import type { LogEntry, TopicLog } from "./topic_log.ts";
import type { TopicRules } from "./topic_rules.ts";

/** The time after which a subscription is tried again, in milliseconds. */
const RETRY = 1000;

/** The connection to the broker. */
export interface RelayLink {
  /** The broker's name. */
  readonly name: string;
  /** Whether messages reach other processes. */
  readonly currentStatus: BrokerStatus;
  /** How often the status was "down". */
  readonly downs: number;
  /** The sender of this process's messages. */
  readonly sender: Uint8Array;
  /** See `RelayCounts`. */
  readonly counts: { sent: number; received: number; dropped: number; gaps: number };
  /** Subscribes or unsubscribes at the broker, as the subscribers of the topic need it. */
  settle(topic: string): Promise<unknown>;
  /** Counts and logs an invalid message. */
  ignore(why: string): void;
  /** Logs an error. */
  report(error: unknown): void;
  /** Logs a loss of messages. */
  reportGap(topic: string): void;
}

/** Keeps the messages at a broker, with a mirror of each topic that has subscribers here. */
export class RelayHistory implements HistoryStore, MirrorHost {
  readonly #history: BrokerHistory;
  readonly #relay: RelayLink;
  readonly #delivery: Delivery;
  readonly #mirrors: Map<string, Mirror> = new Map();
  readonly #pending: Map<string, PendingSubscriptions> = new Map();
  /** The topics whose subscription has failed. */
  readonly #retries: Map<string, Deadline> = new Map();
  readonly #own: OwnMessages = new OwnMessages();
  readonly #rules: TopicRules;

  /**
   * @param history The history of the broker.
   * @param relay The connection to the broker.
   * @param delivery Delivers messages.
   * @param rules The rules of topics.
   */
  constructor(
    history: BrokerHistory,
    { relay, delivery, rules }: {
      readonly relay: RelayLink;
      readonly delivery: Delivery;
      readonly rules: TopicRules;
    },
  ) {
    this.#history = history;
    this.#relay = relay;
    this.#delivery = delivery;
    this.#rules = rules;
    delivery.onUnformatted = () => void relay.counts.dropped++;
  }

  // --- Publishing -------------------------------------------------------------------------------

  /** See {@linkcode HistoryStore.publish}. Subscribers here get it when the broker sends it back. */
  publish({ topic, rule, payload, except }: Publication): Broadcast {
    const sequence = this.#own.add(topic, except);
    const sealed = seal(this.#relay.sender, topic, payload, sequence);
    const position = ignorable(this.#append(topic, sealed, rule));
    return new StoredBroadcast(topic, "", { pace: this.#delivery.environment, position });
  }

  async #append(topic: string, sealed: Uint8Array, rule: HistoryRule): Promise<Position> {
    const { size, ttl, maxBytes } = rule;
    const { counts, currentStatus, downs } = this.#relay;
    const attempt = "Cannot store a message";
    try {
      if (currentStatus !== "up") {
        throw new Error(`${attempt}: ${this.#relay.name} is ${currentStatus}`);
      }
      const append = () => this.#history.append(topic, sealed, { size, ttl, maxBytes });
      const position = checkStored(await this.#inTime(append, attempt));
      counts.sent++;
      this.#mirrors.get(topic)?.expect(position);
      return position;
    } catch (error) {
      counts.dropped++;
      // While it is slow, the status tells it, and so it does if the connection was lost meanwhile.
      const isUp = this.#relay.currentStatus === "up" && downs === this.#relay.downs;
      if (isUp) this.#relay.report(error);
      throw error;
    }
  }

  #inTime<Result>(call: () => Promise<Result>, attempt: string): Promise<Result> {
    const { wheel } = this.#delivery.environment;
    const late = () =>
      new Error(`${attempt}: ${this.#relay.name} did not answer within ${BROKER_TIMEOUT} ms`);
    return withDeadline(call, { wheel, timeout: BROKER_TIMEOUT, late });
  }

  // --- Subscriptions ----------------------------------------------------------------------------

  /** See {@linkcode HistoryStore.join}. */
  join(
    target: RecoveryTarget,
    _rule: HistoryRule,
    since: Position | undefined,
  ): Promise<Subscribed> {
    const { subscriber, topic } = target;
    const mirror = this.#mirrors.get(topic);
    const log = mirror?.log ?? null;
    void this.#relay.settle(topic); // never rejects
    const known = subscriber.policies?.get(topic)?.recovery;
    if (known instanceof PendingSubscription) return known.promise;
    if (log !== null && (since === undefined || !log.isBehind(since))) {
      return this.#delivery.recover(target, log, since);
    }
    const pending = this.#wait(target, since);
    // Another process may have had a message before this one.
    if (log !== null) void mirror?.refresh(); // never rejects
    return pending.promise;
  }

  #wait(target: RecoveryTarget, since: Position | undefined): PendingSubscription {
    const { topic } = target;
    const pending = new PendingSubscription(target, since, (ended) => this.#forget(ended));
    setRecovery(target, pending);
    const others = this.#pending.get(topic);
    if (others === undefined) this.#pending.set(topic, new Set([pending]));
    else others.add(pending);
    this.#delivery.environment.wheel.set(pending, BROKER_TIMEOUT);
    return pending;
  }

  /** See {@linkcode HistoryStore.left}. The relay unsubscribes. */
  left(): void {}

  #forget(pending: PendingSubscription): void {
    const { topic } = pending.target;
    this.#delivery.environment.wheel.remove(pending);
    const others = this.#pending.get(topic);
    others?.delete(pending);
    if (others?.size === 0) this.#pending.delete(topic);
  }

  // --- Events of the relay ----------------------------------------------------------------------

  /** The subscription of a topic at the broker is active. */
  joined(topic: string): void {
    const rule = this.#rules.of(topic);
    if (rule === null) return;
    const mirror = new Mirror(topic, rule, this);
    this.#mirrors.set(topic, mirror);
    void mirror.refresh(); // never rejects
  }

  /** The subscription of a topic ends. */
  leaving(topic: string): void {
    const mirror = this.#mirrors.get(topic);
    if (mirror === undefined) return;
    this.#mirrors.delete(topic);
    this.#own.forget(topic);
    mirror.close();
    this.#delivery.environment.wheel.remove(mirror);
  }

  /** The subscription of a topic has failed. It is tried again. */
  unjoined(topic: string): void {
    for (const pending of this.#pending.get(topic) ?? []) pending.giveUp();
    if (this.#retries.has(topic) || this.#rules.of(topic) === null) return;
    const retry = new Deadline(() => {
      this.#retries.delete(topic);
      void this.#relay.settle(topic); // never rejects
    });
    this.#retries.set(topic, retry);
    this.#delivery.environment.wheel.set(retry, RETRY);
  }

  /** Messages may have been lost. @param topic The topic. Default: all. */
  missed(topic?: string): void {
    const mirrors = topic === undefined ? [...this.#mirrors.values()] : [this.#mirrors.get(topic)];
    for (const mirror of mirrors) void mirror?.refresh(); // never rejects
  }

  /**
   * A message has arrived.
   *
   * @param stored What the broker says about it.
   * @returns Whether it is of a topic with a history.
   */
  receive(stored: Position & { readonly topic: string }, data: unknown): boolean {
    if (typeof stored?.topic !== "string" || !isPosition(stored)) {
      this.#relay.ignore("its position is malformed");
      return true;
    }
    const mirror = this.#mirrors.get(stored.topic);
    mirror?.receive(stored, data);
    // Without a mirror, the message will be in the first read, or nobody subscribes.
    return mirror !== undefined || this.#rules.of(stored.topic) !== null;
  }

  // --- The host of mirrors ----------------------------------------------------------------------

  /** See {@linkcode MirrorHost.now}. */
  now(): number {
    return this.#delivery.environment.clock.now();
  }

  /** See {@linkcode MirrorHost.arm}. */
  arm(mirror: Mirror, delay: number): void {
    this.#delivery.environment.wheel.set(mirror, delay);
  }

  /** See {@linkcode MirrorHost.readSince}. */
  async readSince(topic: string, since: Position | undefined): Promise<HistoryPage> {
    const { downs, currentStatus } = this.#relay;
    try {
      return await this.#inTime(() => this.#history.read(topic, since), "Cannot read a history");
    } catch (error) {
      const wasLost = currentStatus === "down" || downs !== this.#relay.downs;
      if (!wasLost || this.#relay.currentStatus === "down") throw error;
      // The connection is back.
      return await this.readSince(topic, since);
    }
  }

  /** See {@linkcode MirrorHost.loaded}. */
  loaded(mirror: Mirror, log: TopicLog): void {
    const offsetOf = ({ since }: PendingSubscription) => since?.offset ?? 0;
    const all = [...this.#pending.get(mirror.topic) ?? []];
    // The newest position first: it may tell where the others are.
    for (const pending of all.sort((a, b) => offsetOf(b) - offsetOf(a))) {
      // A callback of another one may have ended it.
      if (this.#pending.get(mirror.topic)?.has(pending) !== true) continue;
      const { since, isLate } = pending;
      if (isLate || since === undefined || since.epoch === log.epoch || !log.isBehind(since)) {
        this.#begin(pending, log);
      } else void this.#locate(pending, since, mirror); // never rejects
    }
  }

  /** Begins a subscription with a position of an unknown epoch, which the broker may know. */
  async #locate(pending: PendingSubscription, since: Position, mirror: Mirror): Promise<void> {
    if (pending.isLocating) return;
    pending.isLocating = true;
    // Others may have asked for the same epoch.
    await mirror.locate(since);
    pending.isLocating = false;
    if (mirror.log === null || this.#mirrors.get(mirror.topic) !== mirror) return;
    if (this.#pending.get(mirror.topic)?.has(pending)) this.#begin(pending, mirror.log);
  }

  #begin(pending: PendingSubscription, log: TopicLog): void {
    this.#forget(pending);
    const { target, since, isLate } = pending;
    pending.begin(() => this.#delivery.recover(target, log, isLate ? undefined : since));
    // It was told that it is subscribed, but not since when.
    if (isLate) this.#delivery.tellGap(target, log.position);
  }

  /** See {@linkcode MirrorHost.arrived}. */
  arrived({ topic, log }: Mirror, entry: LogEntry, envelope: Envelope): void {
    if (log === null) return;
    const isOwn = envelope.isFrom(this.#relay.sender);
    if (!isOwn) this.#relay.counts.received++;
    const except = isOwn ? this.#own.take(topic, envelope.sequence) : undefined;
    this.#delivery.deliver(log, entry, { topic, except });
  }

  /** See {@linkcode MirrorHost.gap}. */
  gap({ topic }: Mirror, log: TopicLog): void {
    this.#relay.counts.gaps++;
    this.#relay.reportGap(topic);
    this.#delivery.tellGaps(topic, log.position);
  }

  /** See {@linkcode MirrorHost.undecodable}. */
  undecodable({ topic }: Mirror, log: TopicLog, why: string): void {
    this.#relay.counts.gaps++;
    this.#relay.ignore(why);
    this.#delivery.tellGaps(topic, log.position);
  }

  /** See {@linkcode MirrorHost.failed}. The mirrors are read again when the broker is up again. */
  failed(error: unknown): boolean {
    if (this.#relay.currentStatus === "down") return false;
    this.#relay.report(error);
    return true;
  }

  // --- Reading ----------------------------------------------------------------------------------

  /** See {@linkcode HistoryStore.read}. */
  async read(topic: string, _rule: HistoryRule, options: HistoryOptions): Promise<History> {
    const { since } = options;
    const page = checkPage(await this.readSince(topic, since), since);
    const { position, messages } = page;
    const decoded = messages.map(({ offset, time, message }) => {
      const payload = Envelope.open(message)?.message;
      if (payload === undefined) return undefined;
      return { message: payload, position: { epoch: position.epoch, offset }, time };
    });
    const readable = decoded.filter((message): message is HistoryMessage => message !== undefined);
    const complete = page.complete && since !== undefined && readable.length === messages.length;
    return { position, complete, messages: limited(readable, options, complete) };
  }

  /** See {@linkcode HistoryStore.close}. */
  close(): void {
    for (const topic of [...this.#mirrors.keys()]) this.leaving(topic);
    for (const retry of this.#retries.values()) this.#delivery.environment.wheel.remove(retry);
  }
}
