/**
 * The brokers that must pass the conformance kit, each with a server for all cases.
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { broadcastChannelBroker } from "../../src/pubsub/brokers/broadcast_channel.ts";
import { natsBroker } from "../../src/pubsub/brokers/nats.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";
import type { BrokerSetup } from "../../src/testing/broker_kit.ts";
import { BrokerCluster, BrokerServer } from "./servers.ts";
import { CLUSTERS, type MakeBroker, STREAMS } from "./stored.ts";

/** A setup whose server starts before its first case. */
export interface ServedSetup extends BrokerSetup {
  /** Starts the server. */
  begin(): Promise<void>;
  /** Ends the server. */
  end(): Promise<void>;
}

/** What the setups use of a server. */
export interface Server {
  readonly port: number;
  start(): Promise<unknown>;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** How a broker connects to a port. */
type Connect = (
  port: number,
  options: Parameters<BrokerSetup["connect"]>[0],
) => ReturnType<BrokerSetup["connect"]>;

/** The delay before a reconnection in milliseconds, so that tests need not wait. */
const RETRY = 20;

/** Makes the setup of a broker with a server. */
export function served(
  startServer: () => Promise<Server>,
  connect: Connect,
  more: Partial<BrokerSetup> = {},
): ServedSetup {
  let server: Server | undefined;
  const running = (): Server => {
    if (server === undefined) throw new Error("The server is not running");
    return server;
  };
  return {
    connect: (options) => connect(running().port, options),
    stop: () => running().kill(),
    start: () => running().start().then(() => {}),
    pause: () => running().freeze(),
    resume: () => running().thaw(),
    ...more,
    async begin() {
      server = await startServer();
    },
    end: () => running().stop(),
  };
}

/** How long a broker waits for the reply of a server that hangs, in milliseconds. */
const REQUEST_TIMEOUT = 2000;

/** What brokers with a history have. */
const STORED: Partial<BrokerSetup> = { history: true, presence: true };

function streams(make: MakeBroker | undefined): ServedSetup {
  let server: BrokerServer | undefined;
  const start = async () => server = await BrokerServer.redis();
  return served(
    start,
    (port, { limits }) => make!(port, { ...limits, requestTimeout: REQUEST_TIMEOUT }),
    { ...STORED, loseData: () => server?.flush() },
  );
}

/** Without faults: a cluster takes two seconds to start. */
function cluster(make: MakeBroker | undefined): ServedSetup {
  let cluster: BrokerCluster | undefined;
  return {
    ...STORED,
    connect: ({ limits }) => make!(cluster?.nodes[0]?.port ?? 0, limits),
    loseData: async () => {
      for (const node of cluster?.nodes ?? []) await node.flush();
    },
    begin: async () => void (cluster = await BrokerCluster.start()),
    end: async () => await cluster?.stop(),
  };
}

let channels = 0;

function broadcastChannel(): ServedSetup {
  const name = `conformance ${++channels}`;
  const nothing = () => Promise.resolve();
  return {
    connect: () => broadcastChannelBroker(name),
    sharesTopics: true,
    begin: nothing,
    end: nothing,
  };
}

/** All setups by name. */
export const setups: Readonly<Record<string, ServedSetup>> = {
  "BroadcastChannel": broadcastChannel(),
  "Redis by npm:redis": served(() => BrokerServer.redis(), (port, { limits }) => {
    const url = `redis://127.0.0.1:${port}`;
    const client = createClient({ url, socket: { reconnectStrategy: () => RETRY } });
    return redisBroker(client, limits);
  }),
  "Redis by npm:ioredis": served(() => BrokerServer.redis(), (port, { limits }) => {
    const options = { host: "127.0.0.1", port, lazyConnect: true, retryStrategy: () => RETRY };
    return redisBroker(new Redis(options), limits);
  }),
  "Redis Streams by npm:redis": streams(STREAMS["npm:redis"]),
  "Redis Streams by npm:ioredis": streams(STREAMS["npm:ioredis"]),
  "Redis Cluster by npm:redis": cluster(CLUSTERS["npm:redis"]),
  "NATS": served(() => BrokerServer.nats(), async (port, { limits, onEnd }) => {
    const connection = await connect({
      servers: `127.0.0.1:${port}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY,
    });
    onEnd(() => connection.close());
    return await natsBroker(connection, limits);
    // NATS' default limit is 1 MiB.
  }, { largestMessage: 1024 * 1024 }),
};
