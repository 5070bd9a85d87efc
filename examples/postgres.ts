/**
 * A broker of your own: topics over Postgres, with LISTEN and NOTIFY. It passes the conformance kit,
 * `@waterspout/websocket/testing/broker`. It has no history and no presence: those need tables.
 *
 *     deno run -A examples/postgres.ts [port [database]]
 *     bun run examples/postgres.ts [port [database]]
 *     node examples/postgres.ts [port [database]]
 *
 * Start several processes with different ports and the same database, such as
 * `postgres://user:password@localhost/chat`. A message to one reaches the clients of all.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import process from "node:process";
import { Application, WebSocketHandler } from "@waterspout/websocket";
import type { Broker, BrokerEvents, BrokerStatus } from "@waterspout/websocket";
import { Client } from "pg";

/** A payload has less than 8000 bytes. A longer message is sent in pieces of one transaction. */
const PIECE = 7900;
const NOTIFY =
  "SELECT pg_notify(channel, piece) FROM unnest($1::text[], $2::text[]) AS t(channel, piece)";

/** The name of a channel has at most 63 bytes. A topic may be longer. */
const channelOf = (topic: string) => `t${createHash("sha1").update(topic).digest("hex")}`;

class PostgresBroker implements Broker {
  readonly name: string;
  status: BrokerStatus = "down";
  events: BrokerEvents | undefined = undefined;
  readonly #url: string;
  readonly #limit: number;
  readonly #channels = new Set<string>();
  #client: Client | undefined;
  #queries: Promise<unknown> = Promise.resolve();
  #queue: (readonly [channel: string, piece: string])[] = [];
  #waiting = 0;
  #sent = 0;
  #received = "";
  #closed = false;

  constructor(url: string, limit: number) {
    this.name = `Postgres at ${new URL(url).host}`;
    this.#url = url;
    this.#limit = limit;
  }

  async connect(): Promise<void> {
    const client = new Client({ connectionString: this.#url });
    client.on("error", () => {}); // "end" follows.
    client.on("end", () => client === this.#client && void this.#reconnect());
    client.on("notification", ({ payload = "" }) => this.#receive(payload));
    await client.connect();
    await client.query([...this.#channels].map((channel) => `LISTEN ${channel};`).join(""));
    if (this.#closed) return await client.end();
    this.#client = client;
    this.#report("up");
  }

  async #reconnect(): Promise<void> {
    this.#client = undefined;
    this.#received = "";
    this.#report("down");
    while (!this.#closed && this.#client === undefined) {
      await this.connect().catch(() => new Promise((resolve) => setTimeout(resolve, 50)));
    }
  }

  #report(status: BrokerStatus): void {
    if (this.#closed || status === this.status) return;
    this.status = status;
    this.events?.status(status);
  }

  publish(topic: string, message: Uint8Array): void {
    const text = Buffer.from(message).toString("base64");
    if (this.#waiting > 0 && this.#waiting + text.length > this.#limit && this.#client) {
      this.#report("slow");
    }
    if (this.status !== "up") return;
    this.#waiting += text.length;
    if (this.#queue.length === 0) void this.#query(() => this.#send());
    for (let at = 0; at === 0 || at < text.length; at += PIECE) {
      const mark = at + PIECE < text.length ? "+" : ".";
      // In one transaction, Postgres sends equal payloads only once, so each has a number.
      const piece = `${mark}${this.#sent++} ${text.slice(at, at + PIECE)}`;
      this.#queue.push([channelOf(topic), piece]);
    }
  }

  /** Sends all that waits. */
  async #send(): Promise<void> {
    const size = this.#waiting;
    const batch = this.#queue.splice(0);
    try {
      await this.#client?.query(NOTIFY, [0, 1].map((column) => batch.map((row) => row[column])));
    } catch (error) {
      // A message that is lost with the connection is no failure of its own.
      if (this.status !== "down") this.events?.failed(error as Error);
    }
    this.#waiting -= size;
    if (this.status === "slow" && this.#waiting <= this.#limit / 2) this.#report("up");
  }

  /** Runs one query after the other. */
  #query<T>(query: () => Promise<T>): Promise<T> {
    const result = this.#queries.then(query);
    this.#queries = result.catch(() => {});
    return result;
  }

  /** The pieces of a message arrive one after the other. The last one begins with a dot. */
  #receive(piece: string): void {
    this.#received += piece.slice(piece.indexOf(" ") + 1);
    if (!piece.startsWith(".")) return;
    const message = Buffer.from(this.#received, "base64");
    this.#received = "";
    if (!this.#closed) this.events?.message(message);
  }

  async subscribe(topic: string): Promise<void> {
    this.#channels.add(channelOf(topic));
    await this.#query(async () => await this.#client?.query(`LISTEN ${channelOf(topic)}`));
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#channels.delete(channelOf(topic));
    await this.#query(async () => await this.#client?.query(`UNLISTEN ${channelOf(topic)}`));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.status = "down";
    await this.#client?.end();
  }
}

/** Connects the topics of all processes that use the same database. */
export async function postgresBroker(url: string, maxBufferedAmount = 2 ** 26): Promise<Broker> {
  const broker = new PostgresBroker(url, maxBufferedAmount);
  await broker.connect();
  return broker;
}

class Everyone extends WebSocketHandler {
  override async open(): Promise<void> {
    await this.subscribe("everyone");
    this.writeMessage("Welcome");
  }
  onMessage(message: string | Uint8Array): void {
    this.application.publish("everyone", message);
  }
}

if (import.meta.main) {
  const [port = "8888", database = "postgres://localhost/postgres"] = process.argv.slice(2);
  const app = new Application([["/", Everyone]], { broker: await postgresBroker(database) });
  app.listen({ port });
}
