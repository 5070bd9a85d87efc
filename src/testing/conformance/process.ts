/**
 * A process with an application, and clients in memory.
 *
 * @module
 */
import type { Broker, BrokerStatus, Position } from "../../pubsub/brokers/broker.ts";
import type { WebSocketVersion } from "../../handshake/versions.ts";
import { Application } from "../../server/application.ts";
import { WebSocketHandler } from "../../server/handler.ts";
import type { Settings } from "../../server/settings.ts";
import { connect, type TestConnection } from "../memory_connect.ts";
import { expectEqual } from "./expectations.ts";
import type { Scene } from "./scene.ts";
import type { BrokerConnect } from "./setup.ts";

/**
 * Subscribes to the topic of its path, with the options of its query, and publishes what its client
 * sends.
 */
class Member extends WebSocketHandler<undefined, { topic: string }> {
  override async open(topic: string): Promise<void> {
    const [since, id] = [this.getQueryArgument("since", ""), this.getQueryArgument("id", "")];
    const { recovered } = await this.subscribe(topic, {
      ...(since === "" ? {} : { since: JSON.parse(since) as Position }),
      ...(this.getQueryArgument("gaps", "") === ""
        ? {}
        : { onGap: () => this.writeMessage("gap") }),
      ...(id === "" ? {} : {
        presence: { id },
        onPresence: ({ type, id }) => this.writeMessage(`${type} ${id}`),
      }),
    });
    this.writeMessage(since === "" ? "joined" : `recovered ${recovered}`);
  }
  onMessage(message: string | Uint8Array): void {
    this.publish(this.params.topic, message);
  }
}

/** A client. It keeps what it receives. */
export class Client {
  readonly connection: TestConnection;
  readonly messages: (string | Uint8Array)[] = [];
  readonly #scene: Scene;

  constructor(connection: TestConnection, scene: Scene) {
    this.connection = connection;
    this.#scene = scene;
    // The end of the connection ends the loop; only tests of this client would show its errors.
    this.#collect().catch(() => {});
  }

  async #collect(): Promise<void> {
    for await (const message of this.connection) this.messages.push(message);
  }

  /** Waits for a number of messages, and removes and returns all that have arrived. */
  async take(count: number, what = "messages of the topic"): Promise<(string | Uint8Array)[]> {
    const missing = () =>
      `a client receives ${count} ${what}; ${this.messages.length} have arrived`;
    await this.#scene.waiting.until(missing, () => this.messages.length >= count);
    return this.messages.splice(0);
  }

  /** Sends a text. */
  send(text: string): void {
    this.connection.writeMessage(text);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    this.connection.close();
    await this.#scene.waiting.within("a client is closed", this.connection.closed);
  }
}

/** One process. */
export class Process {
  readonly app: Application;
  readonly broker: Broker;
  readonly statuses: BrokerStatus[] = [];
  readonly logged: string[] = [];
  readonly #scene: Scene;

  private constructor(broker: Broker, scene: Scene, settings: Partial<Settings>) {
    this.broker = broker;
    this.#scene = scene;
    this.app = new Application([["/:topic", Member]], {
      ...settings,
      pingInterval: 0,
      broker,
      onBrokerStatus: (status) => this.statuses.push(status),
      log: (message, error) =>
        this.logged.push(error === undefined ? message : `${message} ${error}`),
    });
  }

  /** Starts a process. The scene ends it. */
  static async start(
    scene: Scene,
    { limits = {}, settings = {} }: {
      readonly limits?: BrokerConnect["limits"];
      readonly settings?: Partial<Settings>;
    } = {},
  ): Promise<Process> {
    const started = new Process(await scene.connect(limits), scene, settings);
    scene.onEnd(() => started.app.shutdown({ timeout: 1 }));
    return started;
  }

  /** Starts two. */
  static async two(
    scene: Scene,
    settings: Partial<Settings> = {},
  ): Promise<readonly [Process, Process]> {
    return [await Process.start(scene, { settings }), await Process.start(scene, { settings })];
  }

  /** The counters of messages to and from other processes. */
  get counts(): { readonly sent: number; readonly received: number; readonly dropped: number } {
    const { sent = 0, received = 0, dropped = 0 } = this.app.stats().broker ?? {};
    return { sent, received, dropped };
  }

  /** Connects a client to a topic, and waits until it is subscribed. */
  async join(topic: string, version: WebSocketVersion = "rfc6455"): Promise<Client> {
    const client = await this.connect(topic, {}, version);
    expectEqual(await client.take(1), ["joined"], "The greeting of a client");
    return client;
  }

  /** Connects a client with a query. */
  async connect(
    topic: string,
    query: Readonly<Record<string, string>>,
    version: WebSocketVersion = "rfc6455",
  ): Promise<Client> {
    const path = `/${encodeURIComponent(topic)}?${new URLSearchParams(query)}`;
    const connecting = connect(this.app, path, { version });
    const connection = await this.#scene.waiting.within("a client is connected", connecting);
    return new Client(connection, this.#scene);
  }

  /** Waits until a status was reported. */
  async reported(status: BrokerStatus): Promise<void> {
    const what = `the application is told the status "${status}"`;
    await this.#scene.waiting.until(what, () => this.statuses.at(-1) === status);
  }
}
