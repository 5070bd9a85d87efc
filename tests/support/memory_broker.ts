/**
 * A broker with a history, in memory. A test decides what goes wrong: it delays, loses and repeats
 * messages, is away, does not answer, forgets, and goes back in time.
 *
 * @module
 */
import type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerStatus,
  HistoryLimits,
  HistoryPage,
  KeptMessage,
  Position,
  StoredAt,
} from "../../src/pubsub/brokers/broker.ts";

/** An epoch whose messages up to an offset are those of the current one. */
interface OldEpoch {
  readonly epoch: string;
  readonly upTo: number;
}

/** What the server keeps of a topic. */
interface ServerTopic {
  epoch: string;
  /** The offset of the newest message. */
  offset: number;
  messages: KeptMessage[];
  old: OldEpoch[];
  limits: HistoryLimits;
}

const NO_LIMITS: HistoryLimits = { size: 1, ttl: 0, maxBytes: 1 };

/** The server. Each process has a {@linkcode MemoryBroker} of it. */
export class MemoryServer {
  /** The brokers of all processes. */
  readonly brokers: MemoryBroker[] = [];
  /** How often a history was read. */
  reads = 0;
  readonly #now: () => number;
  readonly #topics: Map<string, ServerTopic> = new Map();
  #epochs = 0;

  /** @param now The time, in milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Makes the broker of another process. */
  join(): MemoryBroker {
    const broker = new MemoryBroker(this);
    this.brokers.push(broker);
    return broker;
  }

  /** Stores a message and sends it. */
  append(topic: string, message: Uint8Array, limits: HistoryLimits): Position {
    const kept = this.#topic(topic);
    kept.limits = limits;
    const offset = ++kept.offset;
    kept.messages.push({ offset, time: this.#now(), message });
    this.#trim(kept);
    this.send(message, { topic, epoch: kept.epoch, offset });
    return { epoch: kept.epoch, offset };
  }

  /** Sends a message to all subscribers. */
  send(message: Uint8Array, stored: StoredAt): void {
    for (const broker of this.brokers) broker.arrive(message, stored);
  }

  /** See `BrokerHistory.read`. */
  read(topic: string, since?: Position): HistoryPage {
    this.reads++;
    const kept = this.#topic(topic);
    this.#trim(kept);
    const { epoch, offset, messages } = kept;
    const complete = since !== undefined && this.#isKept(kept, since);
    return {
      position: { epoch, offset },
      complete,
      messages: complete ? messages.filter((one) => one.offset > since.offset) : [...messages],
    };
  }

  #isKept({ epoch, offset, messages, old }: ServerTopic, since: Position): boolean {
    const upTo = epoch === since.epoch
      ? offset
      : old.find((old) => old.epoch === since.epoch)?.upTo ?? -1;
    return since.offset <= upTo && since.offset >= offset - messages.length;
  }

  // --- Faults -----------------------------------------------------------------------------------

  /** Starts again, without the newest messages of each topic. Their offsets are used again. */
  restart(lost: number): void {
    for (const kept of this.#topics.values()) {
      kept.messages.splice(Math.max(kept.messages.length - lost, 0));
      kept.offset = Math.max(kept.offset - lost, 0);
      const { epoch, offset } = kept;
      // What leads to the epoch before also leads to this one, up to what is left.
      kept.old = [{ epoch, upTo: offset }, ...kept.old]
        .map(({ epoch, upTo }) => ({ epoch, upTo: Math.min(upTo, offset) }));
      kept.epoch = this.#makeEpoch();
    }
  }

  /** Loses everything. */
  forget(): void {
    this.#topics.clear();
  }

  /** Goes back in time without telling it, which no broker may. */
  rewind(topic: string, lost: number): void {
    const kept = this.#topic(topic);
    kept.messages.splice(kept.messages.length - lost);
    kept.offset -= lost;
  }

  // --- Storage ----------------------------------------------------------------------------------

  #topic(topic: string): ServerTopic {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const made = { epoch: this.#makeEpoch(), offset: 0, messages: [], old: [], limits: NO_LIMITS };
    this.#topics.set(topic, made);
    return made;
  }

  #makeEpoch(): string {
    return `epoch ${++this.#epochs}`;
  }

  #trim({ messages, limits: { size, ttl, maxBytes } }: ServerTopic): void {
    const bytes = () => messages.reduce((sum, { message }) => sum + message.length, 0);
    const isOld = () => ttl !== 0 && (messages[0]?.time ?? Infinity) + ttl <= this.#now();
    while (messages.length > size || bytes() > maxBytes || isOld()) messages.shift();
  }
}

/** The broker of one process. */
export class MemoryBroker implements Broker {
  readonly name = "Memory";
  status: BrokerStatus = "up";
  events: BrokerEvents | undefined = undefined;
  readonly history: { -readonly [Name in keyof BrokerHistory]: BrokerHistory[Name] };
  /** Messages that were sent and have not arrived, with {@linkcode isHolding}. */
  readonly waiting: (readonly [message: Uint8Array, stored: StoredAt])[] = [];
  /** Whether messages wait until {@linkcode deliver}. */
  isHolding = false;
  /** How many of the next messages do not arrive. */
  losses = 0;
  /** How often each message arrives. */
  copies = 1;
  /** Whether calls wait until {@linkcode answer}. */
  isSilent = false;
  /** The error of all calls. */
  error: Error | undefined;
  /** How often this process has read. */
  reads = 0;
  readonly #server: MemoryServer;
  readonly #subscribed: Set<string> = new Set();
  #answers: (() => void)[] = [];

  /** @param server The server. */
  constructor(server: MemoryServer) {
    this.#server = server;
    this.history = {
      append: (topic, message, limits) => this.#call(() => server.append(topic, message, limits)),
      read: (topic, since) => {
        this.reads++;
        return this.#call(() => server.read(topic, since));
      },
    };
  }

  /** Sends a message that is not stored. */
  publish(topic: string, message: Uint8Array): void {
    for (const broker of this.#server.brokers) {
      if (broker.#subscribed.has(topic)) queueMicrotask(() => broker.events?.message(message));
    }
  }

  /** Subscribes. */
  async subscribe(topic: string): Promise<void> {
    await this.#call(() => this.#subscribed.add(topic));
  }

  /** Unsubscribes. */
  async unsubscribe(topic: string): Promise<void> {
    await this.#call(() => this.#subscribed.delete(topic));
  }

  /** Does nothing. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The server has sent a message. */
  arrive(message: Uint8Array, stored: StoredAt): void {
    if (this.status === "down" || !this.#subscribed.has(stored.topic)) return;
    if (this.losses > 0) {
      this.losses--;
      return;
    }
    for (let copy = 0; copy < this.copies; copy++) {
      if (this.isHolding) this.waiting.push([message, stored]);
      else queueMicrotask(() => this.events?.message(message, stored));
    }
  }

  /** Delivers waiting messages. @param count How many. Default: all. */
  deliver(count = Infinity): void {
    for (const [message, stored] of this.waiting.splice(0, count)) {
      this.events?.message(message, stored);
    }
  }

  /** Answers the calls that wait. */
  answer(): void {
    const answers = this.#answers;
    this.#answers = [];
    for (const answer of answers) answer();
  }

  /** Changes the status. Messages do not arrive while the broker is down. */
  change(status: BrokerStatus): void {
    if (status === "down") this.waiting.length = 0;
    this.status = status;
    this.events?.status(status);
  }

  /** Does something at the server at once, and answers later. */
  async #call<Result>(act: () => Result): Promise<Result> {
    if (this.status === "down") throw new Error("Memory is down");
    if (this.error !== undefined) throw this.error;
    const result = act();
    if (this.isSilent) await new Promise<void>((resolve) => this.#answers.push(resolve));
    else await Promise.resolve();
    return result;
  }
}
