/**
 * Processes in memory that share a broker with a history, and their clients.
 *
 * @module
 */
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import type { TopicHistory } from "../../src/pubsub/history_settings.ts";
import type { Subscribed, SubscribeOptions } from "../../src/pubsub/subscription.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import type { Settings } from "../../src/server/settings.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { type MemoryBroker, MemoryServer } from "../support/memory_broker.ts";
import type { MemoryClient } from "../support/memory_client.ts";
import { Rig, settle } from "../support/rig.ts";

export { settle };

/** A handler that the test uses. */
export class Member extends WebSocketHandler {
  static last: Member;
  override open(): void {
    Member.last = this;
  }
  onMessage(): void {}
}

/** A client with a subscription. */
export class Joined {
  /** The result; `undefined` while the promise is pending. */
  result: Subscribed | Error | undefined;
  readonly client: MemoryClient;
  readonly handler: Member;
  /** The positions that onGap was called with. */
  readonly gaps: Position[] = [];

  constructor(client: MemoryClient, handler: Member, options: SubscribeOptions) {
    this.client = client;
    this.handler = handler;
    handler.subscribe("t", { onGap: (position) => this.gaps.push(position), ...options }).then(
      (result) => this.result = result,
      (error) => this.result = error,
    );
  }

  /** Removes and returns the received texts. */
  texts(): string {
    return this.client.take().map((event) => event.replace(/^text /, "")).join(" ");
  }
}

/** One process. */
export class Process {
  readonly broker: MemoryBroker;
  /** The application. */
  readonly rig: Rig;

  constructor(
    server: MemoryServer,
    history: TopicHistory,
    { clock, ...settings }: Partial<Settings> & { readonly clock: FakeClock },
  ) {
    this.broker = server.join();
    this.rig = new Rig([["/", Member]], {
      pingInterval: 0,
      highWaterMark: 1000,
      history: { "t*": history },
      broker: this.broker,
      clock,
      ...settings,
    });
  }

  /** Opens a client and subscribes. */
  async join(
    options: SubscribeOptions = {},
    version: WebSocketVersion = "rfc6455",
  ): Promise<Joined> {
    const client = await this.rig.open(version, { pair: { capacity: 0 } });
    const joined = new Joined(client, Member.last, options);
    await settle();
    return joined;
  }

  /** Publishes texts, and waits until they have arrived. */
  async publish(...texts: string[]): Promise<void> {
    for (const text of texts) this.rig.app.publish("t", text);
    await settle();
  }

  /** The counters that are not 0. */
  get counts(): Record<string, number> {
    const { sent = 0, received = 0, dropped = 0, invalid = 0, gaps = 0 } =
      this.rig.app.stats().broker ?? {};
    const all = { sent, received, dropped, invalid, gaps };
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0));
  }
}

/** A server and two processes. */
export class Scene {
  /** The time of both processes. */
  readonly clock = new FakeClock();
  readonly server = new MemoryServer();
  readonly first: Process;
  readonly second: Process;

  constructor(history: TopicHistory = {}, settings: Partial<Settings> = {}) {
    const { clock } = this;
    this.first = new Process(this.server, history, { ...settings, clock });
    this.second = new Process(this.server, history, { ...settings, clock });
  }
}
