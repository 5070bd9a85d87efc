/**
 * Connects the topics of several processes through Redis Cluster or Valkey, with history and
 * presence, and with sharded channels. Takes a cluster client of `npm:redis` or `npm:ioredis`.
 *
 * @module
 */
import type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
} from "./broker.ts";
import {
  type IoRedisCluster,
  type NodeRedisCluster,
  type OpenCluster,
  openCluster,
} from "./cluster_clients.ts";
import { ClusterServers } from "./cluster_servers.ts";
import {
  type CheckedOptions,
  checkedOptions,
  type RedisStreamsBrokerOptions,
  storedRedisBroker,
} from "./stored_redis_broker.ts";
import { connectInTime } from "./time_limit.ts";
import { toError } from "../../guard.ts";

export type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  IoRedisCluster,
  NodeRedisCluster,
  RedisStreamsBrokerOptions,
};

/**
 * Connects the topics of all processes that use the same Redis Cluster and prefix. Redis 7 or
 * newer, or Valkey.
 *
 * Each topic belongs to one server, which has its channel, its history and its presence. So more
 * servers carry more topics. Everything else is as with `redisStreamsBroker`.
 *
 * If one server is away, only its topics are affected: a message for them is dropped and counted,
 * and the reason is logged once. When the server is back, or when a replica has taken over, the
 * broker subscribes again, and the application reads what was missed of topics with a history.
 * Whether the other servers answer in the meantime is decided by `cluster-require-full-coverage` in
 * their configuration; the default is that they do not. The status is `"down"` if no server is
 * reachable. It is `"up"` again when all servers are back, or one second after the first.
 *
 * The broker makes two connections to each master with the options of the client. The client itself
 * need not be connected. `close()` closes these connections.
 *
 * @example
 * ```ts
 * import { createCluster } from "npm:redis";
 * import { Application } from "@waterspout/websocket";
 * import { redisClusterBroker } from "@waterspout/websocket/brokers/redis_cluster";
 *
 * async function start(): Promise<void> {
 *   const cluster = createCluster({ rootNodes: [{ url: "redis://10.0.0.7:6379" }] });
 *   new Application([], { broker: await redisClusterBroker(cluster) }).listen(8888);
 * }
 * ```
 *
 * @param client A cluster of `npm:redis` (`createCluster()`) or `npm:ioredis` (`new Cluster()`,
 * with `lazyConnect: true`).
 * @param options The prefix and the limits.
 * @throws {Error} If no server responds in time. The message has the reason.
 * @throws {RangeError} If a number is out of its range.
 * @throws {TypeError} If `prefix` contains a brace.
 */
export async function redisClusterBroker(
  client: NodeRedisCluster | IoRedisCluster,
  options: RedisStreamsBrokerOptions = {},
): Promise<Broker> {
  const checked = checkedOptions(options);
  const cluster = await open(client, checked);
  return await storedRedisBroker(new ClusterServers(cluster, checked), checked);
}

/** How long to wait before the first servers are tried again, in milliseconds. */
const RETRY_INTERVAL = 200;

/** Asks the cluster for its servers, until one answers or the time is over. */
async function open(
  client: NodeRedisCluster | IoRedisCluster,
  { timeout }: CheckedOptions,
): Promise<OpenCluster> {
  let found: OpenCluster | undefined;
  let lastError: Error | undefined;
  let isOver = false;
  const search = async (connected: () => void) => {
    while (found === undefined && !isOver) {
      try {
        found = await openCluster(client);
        connected();
      } catch (error) {
        lastError = toError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
      }
    }
  };
  try {
    const wait = { name: "Redis Cluster", timeout, lastError: () => lastError };
    await connectInTime(wait, (connected) => void search(connected));
  } finally {
    isOver = true;
  }
  if (found === undefined) throw new Error("Cannot reach Redis Cluster: no server has answered");
  return found;
}
