/**
 * Clients of a service that is restarted: they connect again when they are closed, and send again
 * what was not acknowledged.
 *
 * @module
 */
import { type ConnectOptions, websocketConnect } from "../../src/client/mod.ts";
import type { WebSocketClientConnection } from "../../src/client/client_connection.ts";
import { WebSocketClosedError } from "../../src/errors.ts";
import { randomFor, randomInteger } from "../support/random.ts";

/** How many clients connect at a time. */
const CONNECTING = 100;
/** How often a client tries to connect: a listener that stops refuses those who wait for it. */
const TRIES = 100;
/** Longer than the test, in milliseconds. */
const PATIENCE = 60_000;

const COMPRESSION = { threshold: 0 };
const KINDS: readonly ConnectOptions[] = [
  { version: "draft75" },
  { version: "draft76" },
  { version: "hybi-07" },
  { version: "hybi-08" },
  { version: "hybi-08", compression: COMPRESSION },
  { version: "rfc6455" },
  { version: "rfc6455", compression: COMPRESSION },
];

/** The end of a message that a service holds. */
export function heldIn(lot: number): string {
  return `held in lot ${lot}`;
}

/** One client, on one connection after the other. */
class Client {
  /** How many of its messages are acknowledged. */
  acknowledged = 0;
  /** How many of its messages may be sent. */
  allowed = 0;
  /** How many of its messages are sent on this connection, or were acknowledged before. */
  sent = 0;
  /** The number of its connection. */
  number = 0;
  connection: WebSocketClientConnection | null = null;
  readonly name: string;
  readonly options: ConnectOptions;

  constructor(name: string, options: ConnectOptions) {
    this.name = name;
    this.options = options;
  }
}

/** How many clients, and how many of them send messages that the service holds. */
export interface FleetOptions {
  readonly clients: number;
  readonly holding: number;
}

/** Clients of all versions. */
export class Fleet {
  /** The names of the messages that were sent. */
  readonly sent: Set<string> = new Set();
  /** The names of the messages that were acknowledged. */
  readonly acknowledged: Set<string> = new Set();
  /** How often connections ended in which way: `rfc6455 peer 1012`. */
  readonly ends: Record<string, number> = {};
  /** Resolves when all clients are gone; rejects if one fails. */
  readonly finished: Promise<void>;
  readonly #port: number;
  readonly #clients: readonly Client[];
  readonly #holding: number;
  readonly #random = randomFor("restart");
  #lot = 0;
  #done = 0;
  #isFinishing = false;
  #waiter: { readonly count: number; readonly resolve: () => void } | null = null;
  #failed: PromiseWithResolvers<never> = Promise.withResolvers();
  #connecting = 0;
  readonly #queue: (() => void)[] = [];

  constructor(port: number, { clients, holding }: FleetOptions) {
    this.#port = port;
    this.#holding = holding;
    this.#clients = Array.from({ length: clients }, (_, index) => {
      // The remainder is an index.
      return new Client(`${index}`, KINDS[index % KINDS.length]!);
    });
    const runs = this.#clients.map((client) => this.#run(client));
    this.finished = Promise.all(runs).then(() => {});
    this.finished.catch((error) => this.#failed.reject(error));
    this.#failed.promise.catch(() => {});
  }

  /** Has each client send another lot of so many messages. */
  send(count: number): void {
    this.#lot = count;
    for (const client of this.#clients) {
      client.allowed += count;
      this.#sendNext(client);
    }
  }

  /** Resolves when so many messages are acknowledged in all; rejects if a client fails. */
  done(count: number): Promise<void> {
    if (this.#done >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiter = { count, resolve };
    return Promise.race([promise, this.#failed.promise]);
  }

  /** Has no client connect again. */
  finish(): void {
    this.#isFinishing = true;
  }

  /** Ends all connections at once. */
  abort(): void {
    this.finish();
    for (const { connection } of this.#clients) connection?.abort();
  }

  async #run(client: Client): Promise<void> {
    while (!this.#isFinishing) {
      const connection = client.connection = await this.#connect(client);
      client.number++;
      client.sent = client.acknowledged;
      this.#sendNext(client);
      // Throws if the connection ends without a closing handshake.
      for await (const name of connection) this.#acknowledge(client, String(name));
      client.connection = null;
      const { by, code } = connection.ended ?? {};
      const end = `${connection.version} ${by} ${code}`;
      this.ends[end] = (this.ends[end] ?? 0) + 1;
    }
  }

  async #connect({ options }: Client): Promise<WebSocketClientConnection> {
    if (this.#connecting === CONNECTING) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else this.#connecting++;
    try {
      return await this.#tryToConnect({
        ...options,
        handshakeTimeout: PATIENCE,
        closeTimeout: PATIENCE,
        pingTimeout: PATIENCE,
      });
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#connecting--;
      else next();
    }
  }

  async #tryToConnect(options: ConnectOptions): Promise<WebSocketClientConnection> {
    for (let tries = 1;; tries++) {
      try {
        return await websocketConnect(`ws://127.0.0.1:${this.#port}/`, options);
      } catch (error) {
        if (tries === TRIES) throw error;
      }
    }
  }

  /** Sends a part of what the client may send, unless it waits for an acknowledgement. */
  #sendNext(client: Client): void {
    const { connection, acknowledged, allowed, sent } = client;
    if (connection === null || acknowledged < sent || sent === allowed) return;
    const most = sent + 1 + randomInteger(this.#random, this.#lot);
    while (client.sent < Math.min(most, allowed)) this.#sendOne(client, connection);
  }

  #sendOne(client: Client, connection: WebSocketClientConnection): void {
    const message = client.sent++;
    const name = `${client.name}/${client.number}/${message}`;
    const isHeld = Number(client.name) < this.#holding && message % this.#lot === 0;
    const end = isHeld ? heldIn(message / this.#lot + 1) : "";
    const padding = "x".repeat(randomInteger(this.#random, 300));
    connection.writeMessage(`${name} ${padding}${end}`).then(
      () => this.sent.add(name),
      (error) => {
        if (!(error instanceof WebSocketClosedError)) this.#failed.reject(error);
      },
    );
  }

  #acknowledge(client: Client, name: string): void {
    const expected = `${client.name}/${client.number}/${client.acknowledged}`;
    if (name !== expected) throw new Error(`Expected the acknowledgement ${expected}, got ${name}`);
    this.acknowledged.add(name);
    client.acknowledged++;
    this.#done++;
    if (this.#waiter !== null && this.#done >= this.#waiter.count) this.#waiter.resolve();
    this.#sendNext(client);
  }
}
