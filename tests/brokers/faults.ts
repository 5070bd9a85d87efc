/**
 * Applications with history that exchange messages through a broker while it fails, and what must be
 * true of their clients afterwards.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Broker, BrokerStatus, Position } from "../../src/pubsub/brokers/broker.ts";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Member } from "../pubsub/member.ts";
import { until } from "./servers.ts";

/** Subscribes to the topic of its path, and tells its client everything. */
class Follower extends WebSocketHandler {
  override async open(topic: string): Promise<void> {
    const since = this.getQueryArgument("since", "");
    const subscribed = await this.subscribe(topic, {
      ...(since === "" ? {} : { since: JSON.parse(since) }),
      onGap: (gap) => this.writeMessage({ gap }),
    });
    this.writeMessage({ subscribed });
  }
  onMessage(): void {}
}

/** The application of one process. */
export class Process {
  readonly app: Application;
  readonly broker: Broker;
  readonly statuses: BrokerStatus[] = [];
  readonly logged: string[] = [];

  constructor(broker: Broker, size = 10_000) {
    this.broker = broker;
    this.app = new Application([["/:topic", Follower]], {
      pingInterval: 0,
      broker,
      history: {
        "*": { size, format: (message, position) => ({ text: String(message), position }) },
      },
      onBrokerStatus: (status) => this.statuses.push(status),
      log: (message, error) => this.logged.push(error ? `${message} ${error}` : message),
    });
  }

  /** Connects a client, and waits until it is subscribed. */
  async follow(
    topic: string,
    { since, version = "rfc6455" }: {
      readonly since?: Position;
      readonly version?: WebSocketVersion;
    } = {},
  ): Promise<Follow> {
    const query = since === undefined ? "" : `?since=${encodeURIComponent(JSON.stringify(since))}`;
    const member = await Member.join(this.app, `/${topic}${query}`, version);
    const follow = new Follow(member, since);
    await until("the subscription", () => follow.entries.some((entry) => "subscribed" in entry));
    return follow;
  }
}

/** What a client gets. */
type Entry =
  | { readonly text: string; readonly position: Position }
  | { readonly gap: Position }
  | { readonly subscribed: { readonly recovered: boolean; readonly position?: Position } };

/** A client that follows a topic. */
export class Follow {
  readonly member: Member;
  readonly #since: Position | undefined;

  constructor(member: Member, since: Position | undefined) {
    this.member = member;
    this.#since = since;
  }

  /** Everything that has arrived, in order. */
  get entries(): readonly Entry[] {
    return this.member.messages.map((message) => JSON.parse(String(message)));
  }

  /** The messages that have arrived. */
  get texts(): readonly string[] {
    return this.entries.flatMap((entry) => "text" in entry ? [entry.text] : []);
  }

  /** How many gaps were reported. */
  get gaps(): number {
    return this.entries.filter((entry) => "gap" in entry).length;
  }

  /** The position of the last message. */
  get last(): Position | undefined {
    return this.entries.flatMap((entry) => "text" in entry ? [entry.position] : []).at(-1);
  }

  /** Whether all that was missed came first. */
  get isRecovered(): boolean {
    return this.entries.some((entry) => "subscribed" in entry && entry.subscribed.recovered);
  }

  /** Waits for a message. */
  async receive(text: string): Promise<void> {
    await until(`message ${text}`, () => this.texts.includes(text));
  }

  /** Checks that no message came twice, and that each hole was reported before the next message. */
  verify(): void {
    const { texts } = this;
    assertEquals(texts.length, new Set(texts).size, "a message came twice");
    let offset = this.#since?.offset;
    for (const entry of this.entries) {
      if ("gap" in entry) offset = entry.gap.offset;
      else if ("subscribed" in entry) {
        const { recovered, position } = entry.subscribed;
        if (recovered) assertEquals(position?.offset, offset, "after the recovery");
        else offset = position?.offset;
      } else {
        if (offset !== undefined) assertEquals(entry.position.offset, offset + 1, entry.text);
        offset = entry.position.offset;
      }
    }
  }

  /** Disconnects. */
  leave(): void {
    this.member.transport.destroy();
  }
}

/** Publishes a number every few milliseconds. */
export class Traffic {
  /** The positions of messages that were stored, by text. */
  readonly stored: Map<string, Position> = new Map();
  /** How many messages were not stored, as far as the publisher knows. */
  refused = 0;
  #isRunning = true;
  readonly #name: string;
  readonly #done: Promise<void>;

  constructor({ app }: Process, topic: string, name: string) {
    this.#name = name;
    this.#done = this.#run(app, topic);
  }

  async #run(app: Application, topic: string): Promise<void> {
    const outcomes: Promise<unknown>[] = [];
    for (let number = 1; this.#isRunning; number++) {
      const text = `${this.#name} ${number}`;
      outcomes.push(
        app.publish(topic, text).position.then(
          (position) => this.stored.set(text, position),
          () => this.refused++,
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await Promise.all(outcomes);
  }

  /** Waits until more messages are stored. */
  async more(count: number): Promise<void> {
    const goal = this.stored.size + count;
    await until(`${count} more messages`, () => this.stored.size >= goal);
  }

  /** Stops, and waits for the outcome of each message. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#done;
  }
}

/** Checks clients that have subscribed before the traffic began and met no gap. */
export function assertGotAll(follows: readonly Follow[], traffics: readonly Traffic[]): void {
  for (const follow of follows) {
    follow.verify();
    const texts = new Set(follow.texts);
    for (const { stored } of traffics) {
      assert(stored.size > 0);
      assertEquals([...stored.keys()].filter((text) => !texts.has(text)), []);
    }
  }
}
