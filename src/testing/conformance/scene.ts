/**
 * The brokers of one case, and what they have received.
 *
 * @module
 */
import type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  StoredAt,
} from "../../pubsub/brokers/broker.ts";
import { expect, expectEqual, sameBytes, toBytes, toText } from "./expectations.ts";
import type { BrokerConnect, BrokerSetup, Need } from "./setup.ts";
import { Waiting } from "./waiting.ts";

/** Longer messages are not texts of a case, in bytes. */
const LONG = 64 * 1024;

/** A case before it is given a setup. */
export interface CaseSpec {
  readonly name: string;
  readonly needs?: readonly Need[];
  readonly run: (scene: Scene) => Promise<void>;
}

/** A message that has arrived. */
export interface Received {
  /** The bytes that the broker passed. */
  readonly data: Uint8Array;
  /** A copy, made at once. */
  readonly copy: Uint8Array;
  /** The bytes as text; empty if they are long. */
  readonly text: string;
  readonly stored: StoredAt | undefined;
}

/** One broker, like that of one process, and the events that it has reported. */
export class Peer implements BrokerEvents {
  readonly broker: Broker;
  readonly received: Received[] = [];
  readonly statuses: BrokerStatus[] = [];
  readonly failures: Error[] = [];
  /** Events that a broker must never report. */
  readonly #wrong: string[] = [];
  readonly #name: string;

  constructor(broker: Broker, name: string) {
    this.broker = broker;
    this.#name = name;
  }

  /** See {@linkcode BrokerEvents.message}. */
  message(data: unknown, stored?: StoredAt): void {
    if (!(data instanceof Uint8Array)) {
      this.#wrong.push(`expected a Uint8Array as message, got ${typeof data}`);
      return;
    }
    const text = data.length > LONG ? "" : toText(data);
    this.received.push({ data, copy: new Uint8Array(data), text, stored });
  }

  /** See {@linkcode BrokerEvents.status}. */
  status(status: BrokerStatus): void {
    const before = this.statuses.at(-1) ?? "up";
    if (status === before) this.#wrong.push(`the status "${status}" was reported twice`);
    if (status !== this.broker.status) {
      this.#wrong.push(`the status was "${this.broker.status}" when "${status}" was reported`);
    }
    this.statuses.push(status);
  }

  /** See {@linkcode BrokerEvents.failed}. */
  failed(error: Error): void {
    this.failures.push(error);
  }

  /** The history. The case fails if there is none. */
  get history(): BrokerHistory {
    const { history, name } = this.broker;
    expect(history !== undefined, `${name}: expected history, as the setup says; it has none`);
    return history;
  }

  /** The presence. The case fails if there is none. */
  get presence(): BrokerPresence {
    const { presence, name } = this.broker;
    expect(presence !== undefined, `${name}: expected presence, as the setup says; it has none`);
    return presence;
  }

  /** Publishes texts. */
  publish(topic: string, ...texts: readonly string[]): void {
    for (const text of texts) this.broker.publish(topic, toBytes(text));
  }

  /** The texts that have arrived and begin with `prefix`, in order. */
  texts(prefix = ""): string[] {
    return this.received.map(({ text }) => text).filter((text) => text.startsWith(prefix));
  }

  /** Checks what holds in every case. */
  verify(): void {
    expectEqual(this.#wrong, [], `Events of ${this.#name}`);
    for (const [index, { data, copy }] of this.received.entries()) {
      const number = index + 1;
      expect(
        sameBytes(data, copy),
        `Message ${number} of ${this.#name} has changed after it was passed to the application`,
      );
    }
  }
}

/** One run of one case. */
export class Scene {
  readonly setup: BrokerSetup;
  /** Waits with the timeout of the setup. */
  readonly waiting: Waiting;
  readonly #unique: string = crypto.randomUUID().slice(0, 8);
  readonly #peers: Peer[] = [];
  readonly #ends: (() => unknown)[] = [];
  /** What ends each connection, in order. */
  readonly #connections: (readonly (() => unknown)[])[] = [];
  #topics = 0;
  #fences = 0;
  #stopped = false;
  #paused = false;

  constructor(setup: BrokerSetup) {
    this.setup = setup;
    this.waiting = new Waiting(setup.timeout ?? 10_000);
  }

  /** A topic that no other case uses. It ends with `end`. */
  topic(end = ""): string {
    return `${this.#unique}-${++this.#topics}${end}`;
  }

  /** Runs a function after the case, before the brokers are closed. */
  onEnd(callback: () => unknown): void {
    this.#ends.push(callback);
  }

  /** Makes a broker. The caller sets `events`. */
  async connect(limits: BrokerConnect["limits"] = {}): Promise<Broker> {
    const ends: (() => unknown)[] = [];
    this.#connections.push(ends);
    const options: BrokerConnect = { limits, onEnd: (callback) => ends.push(callback) };
    const broker = await this.waiting.within("connect()", this.setup.connect(options));
    ends.unshift(() => broker.close());
    return broker;
  }

  /** Makes a broker and listens to its events. */
  async join(limits: BrokerConnect["limits"] = {}): Promise<Peer> {
    const broker = await this.connect(limits);
    const peer = new Peer(broker, `process ${this.#peers.length + 1}`);
    this.#peers.push(peer);
    broker.events = peer;
    return peer;
  }

  /** Subscribes, and waits until the subscription is active. */
  async subscribe(peer: Peer, ...topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      const what = `subscribe(${JSON.stringify(topic)}) settles`;
      await this.waiting.within(what, peer.broker.subscribe(topic));
    }
  }

  /** Unsubscribes, and waits until that is done. */
  async unsubscribe(peer: Peer, ...topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      const what = `unsubscribe(${JSON.stringify(topic)}) settles`;
      await this.waiting.within(what, peer.broker.unsubscribe(topic));
    }
  }

  /** Waits until a peer has received a number of texts that begin with `prefix`. */
  async received(peer: Peer, count: number, prefix = ""): Promise<string[]> {
    const what = () => `${count} messages "${prefix}…"; ${peer.texts(prefix).length} have arrived`;
    await this.waiting.until(what, () => peer.texts(prefix).length >= count);
    return peer.texts(prefix);
  }

  /**
   * Publishes a last message to topics and waits for it. Messages of a publisher to a topic arrive in
   * order, so all earlier ones have arrived or never will.
   */
  async fence(
    publisher: Peer,
    topics: string | readonly string[],
    ...receivers: readonly Peer[]
  ): Promise<void> {
    const fence = `fence ${this.#unique} ${++this.#fences}`;
    const all = typeof topics === "string" ? [topics] : topics;
    for (const [index, topic] of all.entries()) publisher.publish(topic, `${fence} ${index}.`);
    for (const receiver of receivers) await this.received(receiver, all.length, `${fence} `);
  }

  // --- Faults -----------------------------------------------------------------------------------

  /** Kills the server, and waits until these peers report it. */
  async stop(...peers: readonly Peer[]): Promise<void> {
    this.#stopped = true;
    this.#paused = false;
    await this.waiting.within("stop()", this.setup.stop?.());
    for (const peer of peers) {
      await this.waiting.until(
        'the status "down" after the server was stopped',
        () => peer.statuses.at(-1) === "down",
      );
    }
  }

  /** Starts the server, and waits until these peers are up. */
  async start(...peers: readonly Peer[]): Promise<void> {
    await this.waiting.within("start()", this.setup.start?.());
    this.#stopped = false;
    for (const peer of peers) {
      await this.waiting.until(
        'the status "up" after the server was started',
        () => peer.broker.status === "up" && peer.statuses.at(-1) !== "down",
      );
    }
  }

  /** Freezes the server. */
  async pause(): Promise<void> {
    this.#paused = true;
    await this.waiting.within("pause()", this.setup.pause?.());
  }

  /** Ends {@linkcode pause}. */
  async resume(): Promise<void> {
    await this.waiting.within("resume()", this.setup.resume?.());
    this.#paused = false;
  }

  // --- The end ----------------------------------------------------------------------------------

  /** Checks what holds in every case. */
  verify(): void {
    for (const peer of this.#peers) peer.verify();
  }

  /**
   * Starts the server if it is stopped, and closes everything.
   *
   * @throws The first error, after all is done.
   */
  async end(): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (what: string, callback: () => unknown): Promise<void> => {
      try {
        await this.waiting.within(what, callback());
      } catch (error) {
        errors.push(error);
      }
    };
    if (this.#paused) await attempt("resume()", () => this.resume());
    if (this.#stopped) await attempt("start()", () => this.start());
    for (const end of this.#ends) await attempt("the end of the case", end);
    for (const end of this.#connections.flat()) await attempt("close()", end);
    if (errors.length > 0) throw errors[0];
  }
}
