/**
 * Topics of several processes joined by NATS, through a connection of your own:
 * `npm:@nats-io/transport-node`, or any other transport of the same client.
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

/** What a connection to NATS tells of itself. */
export interface NatsStatus {
  /** What has happened. */
  readonly type: string;
  /** What failed, in an event of type `"error"`. */
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
  /** The server that it is or was connected to. */
  getServer(): string;
  /** Whether it is over for good. */
  isClosed(): boolean;
  /** Resolves when it is over for good, with the reason. */
  closed(): Promise<void | Error>;
  /** What happens to it. */
  status(): AsyncIterable<NatsStatus>;
}

/** How {@linkcode natsBroker} uses NATS. */
export interface NatsBrokerOptions {
  /** The subjects' first token or tokens; `"waterspout"` unless told. One for each application. */
  readonly prefix?: string;
  /** How long the server may take to answer at first, in milliseconds; 0 is for ever. Default: 5 s. */
  readonly timeout?: number;
  /**
   * How much may wait for the server to have it, in bytes; `Infinity` is no limit. Beyond it messages
   * are dropped and counted, and the status is `"slow"`, until no more than half of it waits.
   * Default: 64 MiB.
   */
  readonly maxBufferedAmount?: number;
}

/** From here on the server is asked what it has: a ping for so many bytes costs nothing. */
const CONFIRM_SIZE = 64 * 1024;

/**
 * Joins the topics of all processes that use the same NATS servers and prefix.
 *
 * The connection stays yours: `close()` ends the broker's subscriptions, not the connection. A topic
 * is a subject under the prefix, percent-encoded where a subject cannot have its characters
 * (`room.1` is `waterspout.room.1`, `a b*` is `waterspout.a%20b%2A`), which a process subscribes to
 * while it has subscribers of its own.
 *
 * When NATS goes away, or hangs so long that `maxBufferedAmount` waits for it, messages reach the
 * subscribers of their own process alone; those for other processes are dropped and counted. The
 * client connects again as its options say: by default it
 * gives up after ten attempts; set `maxReconnectAttempts: -1` for a server that is to go on.
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
 * @param connection What `connect()` has made.
 * @param options The subjects' prefix, how long to wait, and how much may.
 * @throws {Error} If the server does not answer; the message has the address and the reason.
 * @throws {TypeError} If the prefix is no subject.
 * @throws {RangeError} If `timeout` or `maxBufferedAmount` is out of its range.
 */
export async function natsBroker(
  connection: NatsConnection,
  options: NatsBrokerOptions = {},
): Promise<Broker> {
  const { prefix = "waterspout", timeout = 5000, maxBufferedAmount = MAX_BUFFERED_AMOUNT } =
    options;
  if (!/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(prefix)) {
    throw new TypeError(`Cannot use prefix ${JSON.stringify(prefix)}: not tokens joined by "."`);
  }
  checkValue(timeout, "Cannot use timeout:", TIME);
  await reach(connection, timeout);
  return new NatsBroker(connection, { prefix, maxBufferedAmount });
}

async function reach(connection: NatsConnection, timeout: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    if (timeout === 0) return;
    timer = setTimeout(() => reject(new Error(`no answer in ${timeout} ms`)), timeout);
  });
  try {
    if (connection.isClosed()) throw new Error("the connection is closed");
    await Promise.race([connection.flush(), late]);
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

  /** The client dispatches to its iterators what happens, and ends them when it closes. */
  async #follow(): Promise<void> {
    for await (const { type, error } of this.#connection.status()) {
      if (this.#closed) return;
      if (type === "disconnect") this.#change("down");
      else if (type === "reconnect") this.#change(this.#backlog.isSlow ? "slow" : "up");
      else if (type === "error" && error !== undefined) this.events?.failed(error);
    }
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

  /** Has the server say what it has: NATS acknowledges no message by itself. */
  async #confirm(): Promise<void> {
    this.#confirming = true;
    const backlog = this.#backlog;
    while (backlog.size >= this.#confirmSize && !this.#closed) {
      const { size } = backlog;
      try {
        await this.#connection.flush();
      } catch {
        // The connection is lost, and what waited for it.
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

/** A topic as tokens of a subject: no white space, no `*` or `>`, and no empty one. */
function subjectOf(topic: string): string {
  return encodeURIComponent(topic).replaceAll("*", "%2A").replace(/^\.|\.$|\.(?=\.)/g, "%2E");
}
