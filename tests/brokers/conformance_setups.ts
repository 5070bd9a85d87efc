/**
 * The brokers that must pass the conformance kit, each with a server for all cases.
 *
 * @module
 */
import { broadcastChannelBroker } from "../../src/pubsub/brokers/broadcast_channel.ts";
import type { Broker } from "../../src/pubsub/brokers/broker.ts";
import { natsBroker } from "../../src/pubsub/brokers/nats.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";
import {
  type BrokerCase,
  brokerConformance,
  type BrokerSetup,
} from "../../src/testing/broker_kit.ts";
import { connectNats, ioRedisClient, nodeRedisClient } from "./kinds.ts";
import type { Library, RedisBroker } from "./libraries.ts";
import { BrokerCluster, BrokerServer, type RedisProgram } from "./servers.ts";
import { CLUSTERS, type MakeBroker, STREAMS } from "./stored.ts";

/** A setup whose server starts before its first case. */
export interface ServedSetup extends BrokerSetup {
  /** Starts the server. */
  begin(): Promise<void>;
  /** Ends the server. */
  end(): Promise<void>;
}

/** The cases that apply to a broker. The kit tells why the others do not. */
export function casesOf(setup: ServedSetup): BrokerCase[] {
  return brokerConformance(setup).filter(({ skip }) => skip === undefined);
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

/** How long a case waits for an event at most, in milliseconds. The machine may be slow. */
const PATIENCE = 90_000;

/** How a broker connects to a port. */
type Connect = (
  port: number,
  options: Parameters<BrokerSetup["connect"]>[0],
) => ReturnType<BrokerSetup["connect"]>;

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
    timeout: PATIENCE,
    ...more,
    async begin() {
      server = await startServer();
    },
    end: () => running().stop(),
  };
}

/** How long a broker waits for the reply of a server that hangs, in milliseconds. */
const REQUEST_TIMEOUT = 5000;

/** A server of Redis, or a cluster. */
interface Store extends Server {
  /** Deletes everything that is stored. */
  flush(): Promise<void>;
}

/** Makes the setup of a broker with history and presence. */
export function stored(start: () => Promise<Store>, make: MakeBroker | undefined): ServedSetup {
  let store: Store | undefined;
  return served(
    async () => store = await start(),
    (port, { limits }) => make!(port, { ...limits, requestTimeout: REQUEST_TIMEOUT }),
    { history: true, presence: true, loseData: () => store?.flush() },
  );
}

let channels = 0;

function broadcastChannel(): ServedSetup {
  const name = `conformance ${++channels}`;
  const nothing = () => Promise.resolve();
  return {
    connect: () => broadcastChannelBroker(name),
    sharesTopics: true,
    timeout: PATIENCE,
    begin: nothing,
    end: nothing,
  };
}

function nats(): ServedSetup {
  return served(() => BrokerServer.nats(), async (port, { limits, onEnd }) => {
    const connection = await connectNats(port);
    onEnd(() => connection.close());
    return await natsBroker(connection, limits);
    // NATS' default limit is 1 MiB.
  }, { largestMessage: 1024 * 1024 });
}

/** Brokers over one server, by client library. */
const CLASSIC: Readonly<Record<Library, (port: number, limits: object) => Promise<Broker>>> = {
  "npm:redis": (port, limits) => redisBroker(nodeRedisClient(port), limits),
  "npm:ioredis": (port, limits) => redisBroker(ioRedisClient(port), limits),
};

/** A broker over Redis, for a program and a client library. */
type RedisSetup = (program: RedisProgram, library: Library) => ServedSetup;

/** The setups of all brokers over Redis by name. */
export const REDIS: Readonly<Record<RedisBroker, RedisSetup>> = {
  "Pub/sub": (program, library) =>
    served(
      () => BrokerServer.redis({ program }),
      (port, { limits }) => CLASSIC[library](port, limits),
    ),
  "Streams": (program, library) => stored(() => BrokerServer.redis({ program }), STREAMS[library]),
  "Cluster": (program, library) => stored(() => BrokerCluster.start(program), CLUSTERS[library]),
};

/** The setups without Redis by name. */
export const OTHERS: Readonly<Record<string, () => ServedSetup>> = {
  "BroadcastChannel": broadcastChannel,
  "NATS": nats,
};
