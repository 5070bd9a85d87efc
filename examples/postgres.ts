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
import { Socket } from "node:net";
import process from "node:process";
import { Application, WebSocketHandler } from "@waterspout/websocket";
import type { Broker, BrokerEvents, BrokerStatus } from "@waterspout/websocket";
import { Client } from "pg";

// The README shows this part.
/** The name of a channel has at most 63 bytes. A topic may be longer. */
const channelOf = (topic: string) => `t${createHash("sha1").update(topic).digest("hex")}`;

/** A payload has less than 8000 bytes. Longer messages are sent in pieces, which count down to 0. */
const NOTIFY = `
  SELECT pg_notify($1, rest || ' ' || encode(substr($2, (last - rest) * 5800 + 1, 5800), 'base64'))
  FROM (SELECT (length($2::bytea) - 1) / 5800 AS last) AS size, generate_series(last, 0, -1) AS rest`;

class PostgresBroker implements Broker {
  readonly name: string;
  status: BrokerStatus = "down";
  events: BrokerEvents | undefined = undefined;
  readonly #url: string;
  readonly #limit: number;
  readonly #channels = new Set<string>();
  #socket: Socket | undefined;
  #client: Client | undefined;
  #waiting = 0;
  #isClosed = false;

  constructor(url: string, maxBufferedAmount: number) {
    this.name = `Postgres at ${new URL(url).host}`;
    this.#url = url;
    this.#limit = maxBufferedAmount;
  }

  async connect(): Promise<void> {
    if (this.#isClosed) return;
    const socket = this.#socket = new Socket();
    const options = { stream: () => socket, pipeline: true, connectionTimeoutMillis: 5000 };
    const client = this.#client = new Client({ connectionString: this.#url, ...options });
    const pieces: Buffer[] = [];
    client.on("notification", ({ payload = "" }) => {
      const [rest, piece = ""] = payload.split(" ");
      pieces.push(Buffer.from(piece, "base64"));
      if (rest === "0") this.events?.message(Buffer.concat(pieces.splice(0)));
    });
    client.on("error", (error) => this.#report("down", error));
    const connectAgain = () => this.connect().catch(() => this.#socket?.destroy());
    client.on("end", () => setTimeout(connectAgain, 100));
    await client.connect();
    await client.query(["", ...this.#channels].join(";LISTEN "));
    this.#report("up");
  }

  #report(status: BrokerStatus, error?: Error): void {
    if (status === this.status) return;
    this.status = status;
    this.events?.status(status, error);
  }

  publish(topic: string, message: Uint8Array): void {
    if (this.status === "up" && this.#waiting > this.#limit) this.#report("slow");
    if (this.status !== "up") return;
    this.#waiting += message.length;
    this.#client?.query(NOTIFY, [channelOf(topic), message])
      .catch((error) => this.events?.failed(error))
      .finally(() => {
        this.#waiting -= message.length;
        if (this.status === "slow" && this.#waiting <= this.#limit / 2) this.#report("up");
      });
  }

  async subscribe(topic: string): Promise<void> {
    this.#channels.add(channelOf(topic));
    await this.#client?.query(`LISTEN ${channelOf(topic)}`);
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#channels.delete(channelOf(topic));
    await this.#client?.query(`UNLISTEN ${channelOf(topic)}`);
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.events = undefined;
    this.#report("down");
    this.#socket?.destroy();
    return Promise.resolve();
  }
}
// The README shows the part until here.

/**
 * Connects the topics of all processes that use the same database.
 *
 * @throws {Error} If the server does not respond.
 */
export async function postgresBroker(url: string, maxBufferedAmount = 2 ** 26): Promise<Broker> {
  const broker = new PostgresBroker(url, maxBufferedAmount);
  try {
    await broker.connect();
    return broker;
  } catch (error) {
    await broker.close();
    throw error;
  }
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
