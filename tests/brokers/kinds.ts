/**
 * The brokers that the tests use, with real servers and clients.
 *
 * @module
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { createClient } from "redis";
import type { Broker } from "../../src/pubsub/brokers/broker.ts";
import { natsBroker } from "../../src/pubsub/brokers/nats.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";
import { redisStreamsBroker } from "../../src/pubsub/brokers/redis_streams.ts";
import { BrokerServer } from "./servers.ts";

/** A kind of broker, with a running server. */
export interface Bench {
  /** Makes a broker, like that of another process. */
  join(options?: BrokerOptions): Promise<Broker>;
  /** Returns the number of subscribers at the server. */
  subscribers(topic: string): Promise<number>;
  /** Closes everything. */
  end(): Promise<void>;
}

/** The options of all brokers with a server. */
export interface BrokerOptions {
  /** How many bytes may wait for an acknowledgement. */
  readonly maxBufferedAmount?: number;
}

/** Makes a {@linkcode Bench}. */
export type Kind = () => Promise<Bench>;

/** The delay before a reconnection: none, so that tests need not wait. */
export const RETRY = 20;

/** The options of both clients of Redis. */
interface RedisKind {
  join(port: number, options?: BrokerOptions): Promise<Broker>;
}

const redisBench = ({ join }: RedisKind) => async (): Promise<Bench> => {
  const server = await BrokerServer.redis();
  const brokers: Broker[] = [];
  const client = nodeRedisClient(server.port);
  await client.connect();
  return {
    async join(options) {
      const broker = await join(server.port, options);
      brokers.push(broker);
      return broker;
    },
    async subscribers(topic) {
      const channel = `waterspout:${topic}`;
      return Number((await client.pubSubNumSub(channel))[channel]);
    },
    async end() {
      for (const broker of brokers) await broker.close();
      client.destroy();
      await server.stop();
    },
  };
};

function openNodeRedis(port: number) {
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, socket: { reconnectStrategy: () => RETRY } });
  // Without a listener, an error would end the process.
  client.on("error", () => {});
  return client;
}

/** A client of `npm:redis` that reconnects soon. */
export const nodeRedisClient: typeof openNodeRedis = openNodeRedis;

/** A client of `npm:ioredis` that reconnects soon. */
export function ioRedisClient(port: number): Redis {
  return new Redis({ host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => RETRY });
}

/** Connects to NATS, with unlimited reconnections. */
export function connectNats(port: number): Promise<NatsConnection> {
  return connect({
    servers: `127.0.0.1:${port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY,
  });
}

async function nats(): Promise<Bench> {
  const server = await BrokerServer.nats();
  const connections: NatsConnection[] = [];
  const brokers: Broker[] = [];
  const open = async () => {
    const connection = await connectNats(server.port);
    connections.push(connection);
    return connection;
  };
  const other = await open();
  return {
    async join(options) {
      const broker = await natsBroker(await open(), options);
      brokers.push(broker);
      return broker;
    },
    async subscribers(topic) {
      // NATS answers a request at once with "no responders" if there are no subscribers.
      const ping = () => other.request(`waterspout.${topic}`, "", { timeout: 50 });
      return await ping().then(() => 1, (error) => /no responders/i.test(String(error)) ? 0 : 1);
    },
    async end() {
      for (const broker of brokers) await broker.close();
      for (const connection of connections) await connection.close();
      await server.stop();
    },
  };
}

/** All kinds by name. */
export const kinds: Readonly<Record<string, Kind>> = {
  "Redis by npm:redis": redisBench({
    join: (port, options) => redisBroker(nodeRedisClient(port), options),
  }),
  "Redis by npm:ioredis": redisBench({
    join: (port, options) => redisBroker(ioRedisClient(port), options),
  }),
  "Redis Streams by npm:redis": redisBench({
    join: (port, options) => redisStreamsBroker(nodeRedisClient(port), options),
  }),
  "Redis Streams by npm:ioredis": redisBench({
    join: (port, options) => redisStreamsBroker(ioRedisClient(port), options),
  }),
  "NATS by npm:@nats-io/transport-node": nats,
};
