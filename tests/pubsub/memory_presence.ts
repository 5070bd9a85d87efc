/**
 * A broker with presence in memory, for tests. Several processes share its server.
 *
 * @module
 */
import type {
  Broker,
  BrokerEvents,
  BrokerPresence,
  BrokerStatus,
  PresenceChange,
  PresenceEntry,
} from "../../src/pubsub/brokers/broker.ts";

/** An entry of one process. */
interface Held {
  readonly info: string;
  readonly until: number;
}

/** The server: it passes messages on and knows who is present. */
export class MemoryServer {
  readonly brokers: Set<PresenceBroker> = new Set();
  /** The entries by topic, id and process. */
  #topics: Map<string, Map<string, Map<object, Held>>> = new Map();
  readonly #now: () => number;

  /** @param now The time, in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes the broker of another process. */
  join(name: string): PresenceBroker {
    const broker = new PresenceBroker(name, this);
    this.brokers.add(broker);
    return broker;
  }

  /** Loses all entries. */
  loseData(): void {
    this.#topics = new Map();
  }

  /** See {@linkcode BrokerPresence.enter}. */
  enter(process: object, topic: string, held: readonly [PresenceEntry, number][]): PresenceChange {
    const left = this.#purge(topic);
    const ids = this.#topics.get(topic) ?? new Map();
    this.#topics.set(topic, ids);
    const joined: PresenceEntry[] = [];
    for (const [entry, ttl] of held) {
      const holders = ids.get(entry.id) ?? new Map();
      if (holders.size === 0) joined.push(entry);
      ids.set(entry.id, holders);
      holders.set(process, { info: entry.info, until: this.#now() + ttl });
    }
    return { joined, left };
  }

  /** See {@linkcode BrokerPresence.leave}. */
  leave(process: object, topic: string, leaving: readonly string[]): PresenceChange {
    const left = this.#purge(topic);
    const ids = this.#topics.get(topic);
    for (const id of leaving) {
      const holders = ids?.get(id);
      const info = holders?.get(process)?.info;
      holders?.delete(process);
      if (info === undefined || holders?.size !== 0) continue;
      ids?.delete(id);
      left.push({ id, info });
    }
    return { joined: [], left };
  }

  /** See {@linkcode BrokerPresence.list}. Expired entries are not listed. */
  list(topic: string): PresenceEntry[] {
    return [...this.#topics.get(topic) ?? []].flatMap(([id, holders]) => {
      const held = [...holders.values()].findLast(({ until }) => until > this.#now());
      return held === undefined ? [] : { id, info: held.info };
    });
  }

  #purge(topic: string): PresenceEntry[] {
    const left: PresenceEntry[] = [];
    const ids = this.#topics.get(topic);
    for (const [id, holders] of ids ?? []) {
      let info = "";
      for (const [process, held] of holders) {
        if (held.until > this.#now()) continue;
        info = held.info;
        holders.delete(process);
      }
      if (holders.size > 0) continue;
      ids?.delete(id);
      left.push({ id, info });
    }
    return left;
  }
}

/** What a test makes of an answer: it may throw, or return something else. */
export type Fault = (answer: unknown) => unknown;

/** The broker of one process. */
export class PresenceBroker implements Broker {
  readonly name: string;
  status: BrokerStatus = "up";
  events: BrokerEvents | undefined = undefined;
  readonly topics: Set<string> = new Set();
  /** The requests for presence so far. */
  readonly requests: string[] = [];
  /** Whether messages to other processes are lost. */
  isDeaf = false;
  /** Changes all answers. */
  fault: Fault = (answer) => answer;
  readonly #server: MemoryServer;

  constructor(name: string, server: MemoryServer) {
    this.name = name;
    this.#server = server;
  }

  publish(topic: string, message: Uint8Array): void {
    if (this.status === "down") return;
    for (const broker of this.#server.brokers) {
      if (broker.status === "down" || broker.isDeaf || !broker.topics.has(topic)) continue;
      queueMicrotask(() => broker.events?.message(message.slice()));
    }
  }

  subscribe(topic: string): void {
    this.topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
  }

  change(status: BrokerStatus): void {
    this.status = status;
    this.events?.status(status);
  }

  /** The process dies: it neither sends nor receives any more. */
  die(): void {
    this.status = "down";
    this.#server.brokers.delete(this);
    this.fault = () => Promise.reject(new Error("dead"));
  }

  readonly presence: BrokerPresence = {
    enter: (topic, entries, ttl) => {
      const held = entries.map((entry): [PresenceEntry, number] => [entry, ttl]);
      return this.#request(
        `enter ${topic} ${entries.map(({ id }) => id)}`,
        () => this.#server.enter(this, topic, held),
      );
    },
    leave: (topic, ids) =>
      this.#request(`leave ${topic} ${ids}`, () => this.#server.leave(this, topic, ids)),
    list: (topic) => this.#request(`list ${topic}`, () => this.#server.list(topic)),
  };

  async #request<Answer>(request: string, work: () => Answer): Promise<Answer> {
    this.requests.push(request);
    await Promise.resolve();
    if (this.status === "down") throw new Error("down");
    return await this.fault(work()) as Answer;
  }

  /** Removes and returns the requests so far. */
  take(): string[] {
    return this.requests.splice(0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
