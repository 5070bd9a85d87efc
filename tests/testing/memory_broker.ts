/**
 * A broker in memory with its server, for tests: correct, with history and presence. The server can
 * be stopped, paused and lose its data. `broken_brokers.ts` breaks it.
 *
 * @module
 */
import { Backlog, MAX_BUFFERED_AMOUNT } from "../../src/pubsub/brokers/backlog.ts";
import type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  HistoryLimits,
  HistoryPage,
  KeptMessage,
  Position,
  PresenceChange,
  PresenceEntry,
  StoredAt,
} from "../../src/pubsub/brokers/broker.ts";

/** How long a broker waits for an answer of the server, in milliseconds. */
const TIMEOUT = 50;

/** The history of a topic. */
export interface Log {
  epoch: string;
  offset: number;
  limits: HistoryLimits;
  kept: KeptMessage[];
}

/** One process's entry for an id. */
interface Held {
  readonly entry: PresenceEntry;
  readonly expires: number;
}

/** Runs tasks one after the other, each in its own microtask; holds them while paused. */
class Queue {
  paused = false;
  #tasks: (() => void)[] = [];
  #running = false;

  add(task: () => void): void {
    this.#tasks.push(task);
    this.run();
  }

  clear(): void {
    this.#tasks = [];
  }

  run(): void {
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => {
      this.#running = false;
      if (this.paused) return;
      this.#tasks.shift()?.();
      if (this.#tasks.length > 0) this.run();
    });
  }
}

/** The server. Its methods run when a request has arrived. */
export class MemoryServer {
  running = true;
  readonly brokers: Set<MemoryBroker> = new Set();
  readonly logs: Map<string, Log> = new Map();
  /** Topic, id, broker. */
  readonly present: Map<string, Map<string, Map<MemoryBroker, Held>>> = new Map();
  readonly queue: Queue = new Queue();
  #epochs = 0;

  connect(options: { readonly maxBufferedAmount?: number } = {}): MemoryBroker {
    return new MemoryBroker(this, options.maxBufferedAmount);
  }

  stop(): void {
    this.running = false;
    this.queue.paused = false;
    this.queue.clear();
    for (const broker of this.brokers) broker.lost();
  }

  start(): void {
    this.running = true;
    for (const broker of this.brokers) broker.found();
  }

  pause(): void {
    this.queue.paused = true;
  }

  resume(): void {
    this.queue.paused = false;
    this.queue.run();
  }

  loseData(): void {
    this.logs.clear();
    this.present.clear();
  }

  deliver(topic: string, message: Uint8Array, stored?: StoredAt): void {
    for (const broker of this.brokers) {
      if (broker.active.has(topic)) broker.events?.message(message.slice(), stored);
    }
  }

  // --- History ----------------------------------------------------------------------------------

  log(topic: string): Log {
    const found = this.logs.get(topic);
    if (found !== undefined) return found;
    const limits = { size: 0, ttl: 0, maxBytes: 0 };
    const log = { epoch: `epoch ${++this.#epochs}`, offset: 0, limits, kept: [] };
    this.logs.set(topic, log);
    return log;
  }

  append(topic: string, message: Uint8Array, limits: HistoryLimits): Position {
    const log = this.log(topic);
    log.limits = limits;
    log.kept.push({ offset: ++log.offset, time: Date.now(), message });
    this.trim(log);
    const position = { epoch: log.epoch, offset: log.offset };
    this.deliver(topic, message, { topic, ...position });
    return position;
  }

  trim(log: Log): void {
    const { size, ttl, maxBytes } = log.limits;
    const bytes = () => log.kept.reduce((sum, { message }) => sum + message.length, 0);
    while (log.kept.length > size || bytes() > maxBytes) log.kept.shift();
    if (ttl > 0) log.kept = log.kept.filter(({ time }) => time + ttl > Date.now());
  }

  read(topic: string, since: Position | undefined): HistoryPage {
    const log = this.log(topic);
    this.trim(log);
    const position = { epoch: log.epoch, offset: log.offset };
    const complete = since !== undefined && this.leadsTo(since, log);
    const messages = log.kept.filter(({ offset }) => !complete || offset > since.offset);
    return { position, complete, messages };
  }

  leadsTo(since: Position, log: Log): boolean {
    const first = log.kept[0]?.offset ?? log.offset + 1;
    return since.epoch === log.epoch && since.offset >= first - 1 && since.offset <= log.offset;
  }

  // --- Presence ---------------------------------------------------------------------------------

  enter(
    by: MemoryBroker,
    topic: string,
    { entries, ttl }: { readonly entries: readonly PresenceEntry[]; readonly ttl: number },
  ): PresenceChange {
    const left = this.expire(topic);
    const joined: PresenceEntry[] = [];
    const ids = this.present.get(topic) ?? new Map<string, Map<MemoryBroker, Held>>();
    this.present.set(topic, ids);
    for (const entry of entries) {
      const holders = ids.get(entry.id) ?? new Map<MemoryBroker, Held>();
      ids.set(entry.id, holders);
      if (holders.size === 0) joined.push(entry);
      // The last one is the one that list returns.
      holders.delete(by);
      holders.set(by, { entry, expires: performance.now() + ttl });
    }
    return { joined, left };
  }

  leave(by: MemoryBroker, topic: string, ids: readonly string[]): PresenceChange {
    const left = this.expire(topic);
    for (const id of ids) left.push(...this.release(topic, id, by));
    return { joined: [], left };
  }

  /** Removes one process from an id. Returns the entry if nobody holds it any more. */
  release(topic: string, id: string, by: MemoryBroker): PresenceEntry[] {
    const ids = this.present.get(topic);
    const holders = ids?.get(id);
    const held = holders?.get(by);
    if (holders === undefined || held === undefined) return [];
    holders.delete(by);
    if (holders.size > 0) return [];
    ids?.delete(id);
    return [held.entry];
  }

  expire(topic: string): PresenceEntry[] {
    const left: PresenceEntry[] = [];
    for (const [id, holders] of this.present.get(topic) ?? []) {
      for (const [by, { expires }] of holders) {
        if (expires <= performance.now()) left.push(...this.release(topic, id, by));
      }
    }
    return left;
  }

  list(topic: string): PresenceEntry[] {
    const now = performance.now();
    return [...this.present.get(topic)?.values() ?? []].flatMap((holders) =>
      [...holders.values()].filter(({ expires }) => expires > now).slice(-1)
        .map(({ entry }) => entry)
    );
  }
}

/** The broker of one process. */
export class MemoryBroker implements Broker, BrokerHistory, BrokerPresence {
  readonly name: string = "Memory";
  status: BrokerStatus = "up";
  events: BrokerEvents | undefined = undefined;
  readonly server: MemoryServer;
  /** What the application has subscribed to. */
  readonly wanted: Set<string> = new Set();
  /** What the server sends to this broker. */
  readonly active: Set<string> = new Set();
  readonly backlog: Backlog;

  constructor(server: MemoryServer, maxBufferedAmount = MAX_BUFFERED_AMOUNT) {
    this.server = server;
    this.backlog = new Backlog(maxBufferedAmount, () => this.look());
    server.brokers.add(this);
  }

  get history(): BrokerHistory {
    return this;
  }

  get presence(): BrokerPresence {
    return this;
  }

  /** Updates the status. */
  look(): void {
    const running = this.server.running ? "up" : "down";
    const status = running === "up" && this.backlog.isSlow ? "slow" : running;
    if (status === this.status || !this.server.brokers.has(this)) return;
    this.status = status;
    this.events?.status(status);
  }

  /** The connection is lost, and what waits with it. */
  lost(): void {
    this.active.clear();
    this.backlog.remove(this.backlog.size);
    this.look();
  }

  /** The connection is back. */
  found(): void {
    for (const topic of this.wanted) this.active.add(topic);
    this.look();
  }

  publish(topic: string, message: Uint8Array): void {
    if (!this.server.running || !this.backlog.admits(message.length)) return;
    // A part of a larger buffer may be used again by its owner; the contract says it is not.
    this.backlog.add(message.length);
    this.server.queue.add(() => {
      this.server.deliver(topic, message);
      this.backlog.remove(message.length);
    });
  }

  subscribe(topic: string): Promise<void> | void {
    this.wanted.add(topic);
    return this.request(() => void this.active.add(topic));
  }

  unsubscribe(topic: string): Promise<void> | void {
    this.wanted.delete(topic);
    return this.request(() => void this.active.delete(topic));
  }

  append(topic: string, message: Uint8Array, limits: HistoryLimits): Promise<Position> {
    return this.request(() => this.server.append(topic, message, limits));
  }

  read(topic: string, since?: Position): Promise<HistoryPage> {
    return this.request(() => this.server.read(topic, since));
  }

  enter(topic: string, entries: readonly PresenceEntry[], ttl: number): Promise<PresenceChange> {
    return this.request(() => this.server.enter(this, topic, { entries, ttl }));
  }

  leave(topic: string, ids: readonly string[]): Promise<PresenceChange> {
    return this.request(() => this.server.leave(this, topic, ids));
  }

  list(topic: string): Promise<readonly PresenceEntry[]> {
    return this.request(() => this.server.list(topic));
  }

  /** Runs a task on the server. Rejects if the server does not answer in time. */
  request<T>(task: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.server.running) return reject(new Error("Memory is down"));
      const timer = setTimeout(() => reject(new Error("Memory does not answer")), TIMEOUT);
      this.server.queue.add(() => {
        clearTimeout(timer);
        resolve(task());
      });
    });
  }

  close(): Promise<void> {
    this.server.brokers.delete(this);
    this.active.clear();
    this.status = "down";
    return Promise.resolve();
  }
}
