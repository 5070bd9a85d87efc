/**
 * Connections to the servers of a cluster, from a cluster client of `npm:redis` or `npm:ioredis`.
 *
 * @module
 */
import { addressText, type ServerAddress } from "./cluster_slots.ts";
import { type IoRedisClient, ioRedisLinks } from "./ioredis.ts";
import { type NodeRedisClient, nodeRedisLinks } from "./node_redis.ts";
import type { RedisLinks } from "./redis_link.ts";

/** The part of a cluster of `npm:redis` that is used, as `createCluster` makes it. */
export interface NodeRedisCluster {
  /** The known masters. */
  readonly masters: readonly object[];
  /** Makes another cluster client. `overrides` replaces some options. */
  duplicate(overrides: object): NodeRedisCluster;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Ends all connections at once. */
  destroy(): void;
  /** Listens for an event. */
  on(event: string, listener: (error: Error) => void): unknown;
  /** Returns the client of a server. */
  nodeClient(node: never): Promise<NodeRedisClient>;
}

/** The part of a cluster of `npm:ioredis` that is used, as `new Cluster()` makes it. */
export interface IoRedisCluster {
  /** The state. */
  readonly status: string;
  /** The options of the cluster. */
  readonly options: {
    readonly clusterRetryStrategy?: unknown;
    readonly natMap?: unknown;
  };
  /** Makes another cluster client. `overrides` replaces some options. */
  duplicate(nodes: never[], overrides: object): IoRedisCluster;
  /** Connects. */
  connect(): Promise<unknown>;
  /** Ends all connections. */
  disconnect(): void;
  /** Listens for an event. */
  on(event: string, listener: (error: Error) => void): unknown;
  /** Returns the clients of the known servers. */
  nodes(role: "all" | "master"): readonly IoRedisClient[];
}

/** A cluster that has answered. */
export interface OpenCluster {
  /** The address of a server. */
  readonly server: ServerAddress;
  /** Makes connections to a server, with the options of the client. */
  links(server: ServerAddress): RedisLinks;
}

/** Whether a cluster client is from `npm:ioredis`. */
export function isIoRedisCluster(client: object): client is IoRedisCluster {
  return "status" in client && typeof client.status === "string";
}

/** Asks the cluster for its servers once. Rejects if none answers. */
export function openCluster(client: NodeRedisCluster | IoRedisCluster): Promise<OpenCluster> {
  return isIoRedisCluster(client) ? openIoRedis(client) : openNodeRedis(client);
}

async function openNodeRedis(client: NodeRedisCluster): Promise<OpenCluster> {
  const cluster = client.duplicate({});
  let lastError: unknown;
  cluster.on("error", (error) => lastError = error);
  try {
    await cluster.connect();
    const [master] = cluster.masters;
    const node = await cluster.nodeClient(master as never);
    // It is only the pattern of others.
    const pattern = node.duplicate({});
    return {
      server: addressOf(node.options?.socket ?? {}),
      links: (server) => nodeRedisLinks(pattern, { server }),
    };
  } catch (error) {
    throw lastError ?? error;
  } finally {
    cluster.destroy();
  }
}

/** How long `npm:ioredis` waits before it connects again by default, in milliseconds. */
const retryStrategy = (attempts: number): number => Math.min(attempts * 50, 2000);

async function openIoRedis(client: IoRedisCluster): Promise<OpenCluster> {
  const { natMap, clusterRetryStrategy } = client.options;
  const cluster = client.duplicate([], {
    lazyConnect: true,
    shardedSubscribers: false,
    clusterRetryStrategy: null,
  });
  // Without a listener, the client prints errors. That of `connect` is enough.
  cluster.on("error", () => {});
  try {
    await cluster.connect();
    const [node] = cluster.nodes("master");
    if (node === undefined) throw new Error("the cluster has no masters");
    const pattern = node.duplicate({
      lazyConnect: true,
      readOnly: false,
      retryStrategy: typeof clusterRetryStrategy === "function"
        ? clusterRetryStrategy
        : retryStrategy,
    });
    return {
      server: addressOf(node.options),
      links: (server) =>
        ioRedisLinks(pattern, { server: translate(natMap, server), resubscribes: true }),
    };
  } finally {
    cluster.disconnect();
  }
}

/** Returns the address under which this process reaches a server, if the option `natMap` has it. */
function translate(natMap: unknown, server: ServerAddress): ServerAddress {
  const key = addressText(server);
  const found: unknown = typeof natMap === "function"
    ? natMap(key)
    : typeof natMap === "object" && natMap !== null
    ? Reflect.get(natMap, key)
    : undefined;
  return (found as ServerAddress | null | undefined) ?? server;
}

function addressOf({ host = "127.0.0.1", port = 6379 }: {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}): ServerAddress {
  return { host, port };
}
