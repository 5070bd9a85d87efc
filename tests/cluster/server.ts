/**
 * One process of a service: `server.ts PORT BROKER`, where BROKER is the URL of a Redis or a NATS, or
 * `ioredis:` and the port of a Redis.
 *
 * A client of `/topic/:name` is subscribed, and receives `served by PID` when messages of all processes
 * arrive. `/control` publishes messages of the form `TOPIC TEXT`. The process prints `ready PORT`, and
 * `broker up` or `broker down` when the state of the broker connection changes.
 */
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import process from "node:process";
import { createClient } from "redis";
import { Application, type Broker, WebSocketHandler } from "../../mod.ts";
import { natsBroker } from "../../src/pubsub/brokers/nats.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";

/** The delay before reconnecting, in milliseconds. */
const RETRY = 100;

class Subscriber extends WebSocketHandler {
  override async open(name: string): Promise<void> {
    await this.subscribe(name);
    this.writeMessage(`served by ${process.pid}`);
  }
  onMessage(): void {}
}

class Control extends WebSocketHandler {
  override open(): void {
    this.writeMessage(`served by ${process.pid}`);
  }
  onMessage(message: string | Uint8Array): void {
    const [, topic = "", text = ""] = /^(\S+) (.*)$/.exec(String(message)) ?? [];
    this.application.publish(topic, text);
  }
}

async function makeBroker(url: string): Promise<Broker> {
  const [scheme, rest = ""] = url.split(":", 2);
  if (scheme === "ioredis") {
    const options = { host: "127.0.0.1", port: Number(rest), lazyConnect: true };
    return redisBroker(new Redis({ ...options, retryStrategy: () => RETRY }));
  }
  if (scheme === "redis") {
    return redisBroker(createClient({ url, socket: { reconnectStrategy: () => RETRY } }));
  }
  const options = { servers: url, maxReconnectAttempts: -1, reconnectTimeWait: RETRY };
  return natsBroker(await connect(options));
}

const [port, url = ""] = process.argv.slice(2);
const app = new Application([["/topic/:name", Subscriber], ["/control", Control]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  broker: await makeBroker(url),
  onBrokerStatus: (status) => console.log(`broker ${status}`),
});
const server = app.listen({
  port: Number(port),
  hostname: "127.0.0.1",
  reusePort: true,
  onListen: (address) => console.log(`ready ${address.port}`),
});
await server.listening;
