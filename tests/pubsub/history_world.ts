/**
 * A random world of processes, publishers, subscribers and faults, and the truth about each message.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { HistoryLimits, Position } from "../../src/pubsub/brokers/broker.ts";
import { Envelope } from "../../src/pubsub/brokers/envelope.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { MemoryServer } from "../support/memory_broker.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { randomInteger } from "../support/random.ts";
import { VERSIONS } from "../support/rig.ts";
import { Member, Process, settle } from "./processes.ts";

/** A message that the server has stored. */
interface Stored {
  readonly text: string;
  /** How many messages had been stored when the server lost it; `Infinity` if it has not. */
  lostBefore: number;
}

/** A server that remembers the truth. */
class TrueServer extends MemoryServer {
  readonly stored: Stored[] = [];
  /** The index of the message at each position. */
  readonly #places: Map<string, number> = new Map();
  /** The indexes of the messages of the current epoch, by offset minus 1. */
  #line: number[] = [];

  override append(topic: string, message: Uint8Array, limits: HistoryLimits): Position {
    this.stored.push({ text: String(Envelope.open(message)?.payload), lostBefore: Infinity });
    this.#line.push(this.stored.length - 1);
    const position = super.append(topic, message, limits);
    this.#note(position.epoch);
    return position;
  }

  override restart(lost: number): void {
    super.restart(lost);
    this.#lose(lost);
  }

  override forget(): void {
    super.forget();
    this.#lose(this.#line.length);
  }

  /** The index of the message at a position; -1 before all. */
  placeOf({ epoch, offset }: Position): number {
    if (offset === 0) return -1;
    const place = this.#places.get(`${epoch} ${offset}`);
    assert(place !== undefined, `nobody has stored ${epoch} ${offset}`);
    return place;
  }

  #lose(count: number): void {
    for (const index of this.#line.splice(Math.max(this.#line.length - count, 0))) {
      const message = this.stored[index];
      if (message !== undefined) message.lostBefore = this.stored.length;
    }
    this.#note(this.read("t").position.epoch);
  }

  #note(epoch: string): void {
    for (const [at, index] of this.#line.entries()) this.#places.set(`${epoch} ${at + 1}`, index);
  }

  /**
   * Whether a client that has everything up to `before` has missed nothing if it gets `index`: all
   * messages between were lost before that, and `before` was not.
   */
  follows(before: number, index: number): boolean {
    const between = this.stored.slice(before + 1, index);
    return (this.stored[before]?.lostBefore ?? Infinity) > index &&
      between.every(({ lostBefore }) => lostBefore <= index);
  }
}

/** A client, over all its connections. */
class Person {
  /** All messages that it has received, as their index. */
  readonly received: number[] = [];
  /** The position of the last one. */
  since: Position | undefined;
  connection: Connection | undefined;
}

/** One connection of a person. */
class Connection {
  readonly client: MemoryClient;
  readonly handler: Member;
  /** Places that were told: after them, nothing is missing. */
  readonly marks: number[] = [];
  /** What was received on this connection. */
  readonly received: number[] = [];
  /** Whether the promise is pending. */
  isPending = true;
  readonly #server: TrueServer;

  constructor(client: MemoryClient, handler: Member, server: TrueServer) {
    this.client = client;
    this.handler = handler;
    this.#server = server;
  }

  subscribe(since: Position | undefined): void {
    if (since !== undefined) this.marks.push(this.#server.placeOf(since));
    this.handler.subscribe("t", { since, onGap: (position) => this.#mark(position) }).then(
      ({ recovered, position }) => {
        this.isPending = false;
        if (!recovered && position !== undefined) this.#mark(position);
      },
      () => this.isPending = false,
    );
  }

  #mark(position: Position): void {
    this.marks.push(this.#server.placeOf(position));
  }

  /** Checks the messages that have arrived. */
  check(person: Person): void {
    for (const event of this.client.take()) {
      const [, text, epoch = "", offset] = /^text (\w+) (.+) (\d+)$/.exec(event) ?? [];
      if (text === undefined) continue;
      const index = this.#server.stored.findIndex((one) => one.text === text);
      person.since = { epoch, offset: Number(offset) };
      assertEquals(
        this.#server.placeOf(person.since),
        index,
        "the position is that of the message",
      );
      assert(index > (person.received.at(-1) ?? -1), `${text} came twice or in the wrong order`);
      const starts = [...this.marks, this.received.at(-1) ?? Infinity];
      assert(
        starts.some((start) => start < index && this.#server.follows(start, index)),
        `a silent hole before ${text}`,
      );
      this.received.push(index);
      person.received.push(index);
    }
  }
}

/** A world. */
export class World {
  /** What has happened, for a failure. */
  readonly story: string[] = [];
  readonly #random: () => number;
  readonly #clock = new FakeClock();
  readonly #server = new TrueServer();
  readonly #processes: Process[];
  readonly #people: Person[];
  #published = 0;

  /** @param random Random numbers from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random;
    const history = {
      size: 1 + this.#below(12),
      ttl: 0,
      format: (message: string | Uint8Array, { epoch, offset }: Position) =>
        `${message} ${epoch} ${offset}`,
    };
    const settings = { clock: this.#clock, highWaterMark: 60, maxBufferedAmount: 100_000 };
    this.#processes = Array.from(
      { length: 1 + this.#below(3) },
      () => new Process(this.#server, history, settings),
    );
    this.#people = Array.from({ length: 1 + this.#below(4) }, () => new Person());
  }

  #below(limit: number): number {
    return randomInteger(this.#random, limit);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  /** Runs the world, then ends all faults and checks that everybody is up to date. */
  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const name = this.#pick(Object.keys(this.#steps));
      this.story.push(name);
      await this.#steps[name]?.();
      // Some steps happen at once.
      if (this.#below(3) > 0) await settle();
      this.#check();
    }
    await this.#heal();
  }

  #check(): void {
    for (const person of this.#people) person.connection?.check(person);
  }

  async #heal(): Promise<void> {
    for (const { broker } of this.#processes) {
      Object.assign(broker, { isHolding: false, losses: 0, copies: 1, isSilent: false });
      broker.error = undefined;
      broker.deliver();
      broker.answer();
      broker.change("up");
    }
    for (const { connection } of this.#people) connection?.client.transport.resume();
    for (let round = 0; round < 8; round++) await this.#clock.advance(1100);
    await settle();
    this.#publish();
    await this.#clock.advance(1100);
    await settle();
    this.#check();
    const last = this.#server.stored.length - 1;
    for (const { connection } of this.#people) {
      if (connection === undefined) continue;
      assertEquals(connection.isPending, false, "a promise is pending");
      assertEquals(connection.received.at(-1), last, "somebody does not get the last message");
      connection.client.reset();
    }
    for (const { rig } of this.#processes) await rig.app.shutdown({ timeout: 0 });
  }

  #publish(): void {
    const text = `m${++this.#published}`;
    void this.#pick(this.#processes).rig.app.publish("t", text);
  }

  async #connect(person: Person): Promise<void> {
    const version = this.#pick(VERSIONS);
    const client = await this.#pick(this.#processes).rig.open(version, { pair: { capacity: 0 } });
    person.connection = new Connection(client, Member.last, this.#server);
    // Without a position, it begins where that process is.
    if (this.#below(5) === 0) {
      person.since = undefined;
      person.received.length = 0;
    }
    person.connection.subscribe(person.since);
  }

  #broker(): Process["broker"] {
    return this.#pick(this.#processes).broker;
  }

  readonly #steps: Readonly<Record<string, () => Promise<void> | void>> = {
    publish: () => this.#publish(),
    publishMany: () => {
      for (let left = this.#below(15); left > 0; left--) this.#publish();
    },
    publishAgain: () => this.#publish(),
    connect: async () => {
      const person = this.#pick(this.#people);
      if (person.connection === undefined) await this.#connect(person);
    },
    leave: () => {
      const person = this.#pick(this.#people);
      person.connection?.check(person);
      person.connection?.client.reset();
      person.connection = undefined;
    },
    move: async () => {
      const person = this.#pick(this.#people);
      person.connection?.check(person);
      person.connection?.client.reset();
      await this.#connect(person);
    },
    stall: () => this.#pick(this.#people).connection?.client.transport.pause(),
    readOn: () => this.#pick(this.#people).connection?.client.transport.resume(),
    hold: () => void (this.#broker().isHolding = true),
    deliverSome: () => {
      const broker = this.#broker();
      // In another order.
      if (this.#below(2) === 0) broker.waiting.reverse();
      broker.deliver(1 + this.#below(5));
    },
    deliverAll: () => {
      const broker = this.#broker();
      broker.isHolding = false;
      broker.deliver();
    },
    lose: () => void (this.#broker().losses += this.#below(4)),
    repeat: () => void (this.#broker().copies = 1 + this.#below(2)),
    down: () => this.#broker().change("down"),
    up: () => {
      for (const { broker } of this.#processes) broker.change("up");
    },
    silence: () => void (this.#broker().isSilent = true),
    answer: () => {
      const broker = this.#broker();
      broker.isSilent = this.#below(2) === 0;
      broker.answer();
    },
    fail: () => void (this.#broker().error = new Error("out of order")),
    work: () => {
      for (const { broker } of this.#processes) broker.error = undefined;
    },
    missed: () => this.#broker().events?.missed?.("t"),
    restart: () => this.#server.restart(this.#below(3)),
    forget: () => {
      if (this.#below(4) === 0) this.#server.forget();
    },
    wait: () => this.#clock.advance(this.#pick([50, 1100, 5100])),
  };
}
