/**
 * One of the processes that share a port: `server.ts PORT BROKER_URL SECONDS_BETWEEN_PINGS`. Prints a line of
 * JSON at the start and for each line on standard input: `publish NUMBER`, `stats` or `stop`.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { Application, WebSocketHandler } from "../../mod.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";
import { natsBroker } from "../../src/pubsub/brokers/nats.ts";
import type { Broker } from "../../src/pubsub/brokers/broker.ts";

class Member extends WebSocketHandler {
  override checkOrigin(): boolean {
    return true;
  }
  override open(): void {
    this.subscribe("all");
  }
  onMessage(): void {}
}

async function join(url: string): Promise<{ broker: Broker; leave: () => Promise<void> }> {
  if (url.startsWith("redis:")) {
    const { createClient } = await import("redis");
    const broker = await redisBroker(createClient({ url }));
    return { broker, leave: () => broker.close() };
  }
  const { connect } = await import("@nats-io/transport-node");
  const connection = await connect({ servers: url });
  return { broker: await natsBroker(connection), leave: () => connection.close() };
}

function say(line: object): void {
  console.log(JSON.stringify(line));
}

/** The microseconds since 1970. */
function microseconds(): string {
  return Math.round((performance.timeOrigin + performance.now()) * 1000).toString();
}

const [port, url = "", pingInterval] = process.argv.slice(2);
const { broker, leave } = await join(url);
const app = new Application([["/", Member]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  pingInterval: Number(pingInterval) * 1000,
  // All processes make or close many connections at once on few cores.
  handshakeTimeout: 120_000,
  closeTimeout: 60_000,
  broker,
});
const server = app.listen({ port: Number(port), hostname: "127.0.0.1", reusePort: true });
await server.listening;
say({ port: server.addr.port });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, number = ""] = line.split(" ");
  if (command === "publish") {
    app.publish("all", `${number.padStart(6, "0")} ${microseconds()}`);
  } else if (command === "stats") {
    const { user, system } = process.cpuUsage();
    const connections = app.stats().connections.open;
    say({ connections, cpu: user + system });
  } else if (command === "stop") {
    await app.shutdown({ timeout: 60_000 });
    await leave();
    say({ stopped: true });
    process.exit(0);
  }
}
