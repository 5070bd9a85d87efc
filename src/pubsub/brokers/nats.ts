/**
 * Connects the topics of several processes through NATS, with a connection of
 * `npm:@nats-io/transport-node` or another transport of the same client.
 *
 * @module
 */
import { guard, toError } from "../../guard.ts";
import { checkValue, TIME } from "../../validation.ts";
import { Backlog, MAX_BUFFERED_AMOUNT } from "./backlog.ts";
import type { Broker, BrokerEvents, BrokerStatus } from "./broker.ts";

export type { Broker, BrokerEvents, BrokerStatus };

/** A message of NATS. */
export interface NatsMessage {
  /** Its bytes. */
  readonly data: Uint8Array;
}

/** A subscription of NATS. */
export interface NatsSubscription {
  /** Ends it. */
  unsubscribe(): void;
}

/** A status event of a connection to NATS. */
export interface NatsStatus {
  /** The type of the event. */
  readonly type: string;
  /** The error, if the type is `"error"`. */
  readonly error?: Error;
}

/** The part of a connection to NATS that is used, as `connect()` makes it. */
export interface NatsConnection {
  /** Sends a message. */
  publish(subject: string, data: Uint8Array): void;
  /** Receives messages. */
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: NatsMessage) => void },
  ): NatsSubscription;
  /** Resolves when everything sent so far has reached the server. */
  flush(): Promise<void>;
  /** Returns the address of the current or last server. */
  getServer(): string;
  /** Whether the connection is closed for good. */
  isClosed(): boolean;
  /** Resolves when the connection is closed for good, with the reason. */
  closed(): Promise<void | Error>;
  /** Returns the status events. */
  status(): AsyncIterable<NatsStatus>;
}

/**
 * The options of {@linkcode natsBroker}.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { NatsBrokerOptions } from "@waterspout/websocket/brokers/nats";
 *
 * const options: NatsBrokerOptions = { prefix: "chat.eu", timeout: 10_000 };
 * assert(options.prefix === "chat.eu");
 * ```
 */
export interface NatsBrokerOptions {
  /**
   * The first tokens of all subjects. Use one prefix for each application. Default: `"waterspout"`.
   */
  readonly prefix?: string;
  /** How long to wait for the server at the start, in milliseconds; 0 is no limit. Default: 5 s. */
  readonly timeout?: number;
  /**
   * How many bytes may wait for the server; `Infinity` is no limit. If more would wait, messages
   * are dropped and counted, and the status is `"slow"`, until at most half of the limit waits.
   * Default: 64 MiB.
   */
  readonly maxBufferedAmount?: number;
}

/** How many bytes may wait before the server is asked for an acknowledgement, by a ping. */
const CONFIRM_SIZE = 64 * 1024;

/**
 * Connects the topics of all processes that use the same NATS servers and prefix.
 *
 * `close()` ends the broker's subscriptions, but not the connection. Each topic is a subject below
 * the prefix, percent-encoded if needed: `room.1` is `waterspout.room.1`, `a b*` is
 * `waterspout.a%20b%2A`. A process subscribes to a subject while the topic has local subscribers.
 *
 * While NATS is not reachable, or more than `maxBufferedAmount` waits for it, messages reach only
 * the subscribers of the same process. Messages for other processes are dropped and counted. The
 * client reconnects as its options say. By default it gives up after ten attempts; set
 * `maxReconnectAttempts: -1` to try forever.
 *
 * @example
 * ```ts
 * import { connect } from "npm:@nats-io/transport-node";
 * import { Application } from "@waterspout/websocket";
 * import { natsBroker } from "@waterspout/websocket/brokers/nats";
 *
 * async function start(): Promise<void> {
 *   const connection = await connect({ servers: "localhost:4222", maxReconnectAttempts: -1 });
 *   new Application([], { broker: await natsBroker(connection) }).listen(8888);
 * }
 * ```
 *
 * @param connection A connection, made by `connect()`.
 * @param options The prefix and the limits.
 * @throws {Error} If the server does not respond. The message has the address and the reason.
 * @throws {TypeError} If the prefix is not a valid subject.
 * @throws {RangeError} If `timeout` or `maxBufferedAmount` is out of its range.
 */
export async function natsBroker(
  connection: NatsConnection,
  options: NatsBrokerOptions = {},
): Promise<Broker> {
  const { prefix = "waterspout", timeout = 5000, maxBufferedAmount = MAX_BUFFERED_AMOUNT } =
    options;
  if (!/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(prefix)) {
    throw new TypeError(
      `Cannot use prefix ${JSON.stringify(prefix)}: must be tokens joined by "."`,
    );
  }
  checkValue(timeout, "Cannot use timeout:", TIME);
  await reach(connection, timeout);
  return new NatsBroker(connection, { prefix, maxBufferedAmount });
}

async function reach(connection: NatsConnection, timeout: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timedOut = new Promise<never>((_, reject) => {
    if (timeout === 0) return;
    timer = setTimeout(
      () => reject(new Error(`no response within timeout (${timeout} ms)`)),
      timeout,
    );
  });
  try {
    if (connection.isClosed()) throw new Error("the connection is closed");
    await Promise.race([connection.flush(), timedOut]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot reach NATS at ${connection.getServer()}: ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

class NatsBroker implements Broker {
  readonly name: string;
  events: BrokerEvents | undefined = undefined;
  status: BrokerStatus = "up";
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #subscriptions: Map<string, NatsSubscription> = new Map();
  readonly #backlog: Backlog;
  readonly #confirmSize: number;
  #confirming = false;
  /** How often the connection was lost. */
  #disconnections = 0;
  #closed = false;

  constructor(
    connection: NatsConnection,
    { prefix, maxBufferedAmount }: Required<Omit<NatsBrokerOptions, "timeout">>,
  ) {
    this.name = `NATS at ${connection.getServer()}`;
    this.#connection = connection;
    this.#prefix = prefix;
    this.#backlog = new Backlog(maxBufferedAmount, () => {
      if (this.status !== "down") this.#change(this.#backlog.isSlow ? "slow" : "up");
    });
    this.#confirmSize = Math.min(CONFIRM_SIZE, maxBufferedAmount / 4);
    guard(() => this.#follow(), (error) => this.events?.failed(toError(error)));
    guard(() => this.#awaitEnd(), (error) => this.#change("down", toError(error)));
  }

  async #awaitEnd(): Promise<void> {
    const error = await this.#connection.closed();
    this.#change("down", error instanceof Error ? error : new Error("the connection is closed"));
  }

  /** Reads the status events until the client is closed. */
  async #follow(): Promise<void> {
    for await (const { type, error } of this.#connection.status()) {
      if (this.#closed) return;
      if (type === "disconnect") this.#disconnected();
      else if (type === "reconnect") void this.#reconnected(this.#disconnections);
      else if (type === "error" && error !== undefined) this.events?.failed(error);
    }
  }

  #disconnected(): void {
    this.#disconnections++;
    this.#change("down");
  }

  /** The client has sent the subscriptions again. They are active when the server has answered. */
  async #reconnected(disconnections: number): Promise<void> {
    try {
      await this.#connection.flush();
    } catch {
      // The connection is lost again. The next event tells when it is back.
      return;
    }
    if (disconnections !== this.#disconnections) return;
    this.#change(this.#backlog.isSlow ? "slow" : "up");
  }

  #change(status: BrokerStatus, error?: Error): void {
    if (this.#closed || status === this.status) return;
    this.status = status;
    this.events?.status(status, error);
  }

  publish(topic: string, message: Uint8Array): void {
    const backlog = this.#backlog;
    const size = message.length;
    if (!backlog.admits(size)) return;
    this.#connection.publish(this.#subject(topic), message);
    backlog.add(size);
    if (!this.#confirming && backlog.size >= this.#confirmSize) void this.#confirm();
  }

  /** Asks the server for an acknowledgement: NATS does not acknowledge messages by itself. */
  async #confirm(): Promise<void> {
    this.#confirming = true;
    const backlog = this.#backlog;
    while (backlog.size >= this.#confirmSize && !this.#closed) {
      const { size } = backlog;
      try {
        await this.#connection.flush();
      } catch {
        // The connection is lost, and so are the waiting messages.
      }
      backlog.remove(size);
    }
    this.#confirming = false;
  }

  async subscribe(topic: string): Promise<void> {
    const callback = (error: Error | null, message: NatsMessage) => {
      if (error !== null) this.events?.failed(error);
      else this.events?.message(message.data);
    };
    const subject = this.#subject(topic);
    // The client keeps a subscription that was not confirmed because the connection was lost.
    this.#subscriptions.get(topic)?.unsubscribe();
    this.#subscriptions.set(topic, this.#connection.subscribe(subject, { callback }));
    await this.#connection.flush();
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.get(topic)?.unsubscribe();
    this.#subscriptions.delete(topic);
  }

  #subject(topic: string): string {
    return `${this.#prefix}.${subjectOf(topic)}`;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.status = "down";
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
    return Promise.resolve();
  }
}

/** Encodes a topic as tokens of a subject: no white space, no `*` or `>`, no empty token. */
function subjectOf(topic: string): string {
  return encodeURIComponent(topic).replaceAll("*", "%2A").replace(/^\.|\.$|\.(?=\.)/g, "%2E");
}
