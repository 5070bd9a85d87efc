import {
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type { NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { describe, test } from "node:test";
import { createClient } from "redis";
import { Application } from "../../src/server/application.ts";
import { broadcastChannelBroker } from "../../src/pubsub/brokers/broadcast_channel.ts";
import { natsBroker } from "../../src/pubsub/brokers/nats.ts";
import { redisBroker } from "../../src/pubsub/brokers/redis.ts";
import { freePort } from "../support/free_port.ts";
import { connectNats } from "./kinds.ts";
import { BrokerServer, until } from "./servers.ts";

/** A timeout that nothing else has, in milliseconds. */
const TIMEOUT = 12_345;

/**
 * What starting a broker fails with. Its timeout has passed when `failed` resolves: how soon that is
 * depends on the machine.
 */
async function failureOf(
  start: (options: { timeout: number }) => Promise<unknown>,
  failed?: Promise<unknown>,
): Promise<Error> {
  const { setTimeout } = globalThis;
  let expire = () => {};
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    if (args[1] !== TIMEOUT) return setTimeout(...args);
    expire = args[0] as () => void;
    return undefined;
  }) as typeof setTimeout;
  const failing = assertRejects(() => start({ timeout: TIMEOUT }), Error);
  globalThis.setTimeout = setTimeout;
  await failed;
  expire();
  return await failing;
}

/** Resolves when a copy of a client of Redis, which a broker makes, has failed to connect. */
function errorOf(client: object): Promise<void> {
  const copies = client as { duplicate(options?: object): Redis };
  const { duplicate } = copies;
  return new Promise((resolve) => {
    copies.duplicate = (options) => {
      const copy = duplicate.call(client, options);
      copy.on("error", () => resolve());
      return copy;
    };
  });
}

/** Resolves when a client of NATS has noticed that its connection is lost. */
async function lossOf(client: NatsConnection): Promise<void> {
  for await (const { type } of client.status()) if (type === "disconnect") return;
}

describe("a broker that cannot be reached is an error with the address", () => {
  test("Redis, by npm:redis", async () => {
    const port = await freePort();
    const client = createClient({ url: `redis://user:secret@127.0.0.1:${port}` });
    const error = await failureOf((options) => redisBroker(client, options), errorOf(client));
    assertEquals(
      error.message.replace(/: connect .*/, ""),
      `Cannot reach Redis at 127.0.0.1:${port}`,
    );
    assertMatch(error.message, /ECONNREFUSED/);
    assertInstanceOf(error.cause, Error);
  });

  test("Redis, by npm:ioredis", async () => {
    const port = await freePort();
    const client = new Redis({ host: "127.0.0.1", port, lazyConnect: true });
    const error = await failureOf((options) => redisBroker(client, options), errorOf(client));
    assertMatch(
      error.message,
      new RegExp(`^Cannot reach Redis at 127.0.0.1:${port}: .*ECONNREFUSED`),
    );
  });

  test("Redis on a unix socket", async () => {
    const client = createClient({ socket: { path: "/nonexistent/redis.sock", tls: false } });
    const error = await failureOf((options) => redisBroker(client, options), errorOf(client));
    assertMatch(error.message, /^Cannot reach Redis at \/nonexistent\/redis.sock: .*ENOENT/);
  });

  test("a server that never responds", async () => {
    const server = await BrokerServer.nats();
    try {
      // NATS sends first, and Redis does not know the message.
      const client = new Redis({ host: "127.0.0.1", port: server.port, lazyConnect: true });
      const error = await failureOf((options) => redisBroker(client, options), errorOf(client));
      assertMatch(error.message, new RegExp(`^Cannot reach Redis at 127.0.0.1:${server.port}: .+`));
    } finally {
      await server.stop();
    }
  });

  test("NATS, with a connection that is closed or hangs", async () => {
    const server = await BrokerServer.nats();
    const [closed, lost] = [await connectNats(server.port), await connectNats(server.port)];
    await closed.close();
    const error = await assertRejects(() => natsBroker(closed), Error);
    assertEquals(
      error.message,
      `Cannot reach NATS at 127.0.0.1:${server.port}: the connection is closed`,
    );
    // Until the client notices the end, a write to its socket may be an error that nobody handles.
    const noticed = lossOf(lost);
    await server.stop();
    await noticed;
    const late = await failureOf((options) => natsBroker(lost, options));
    assertEquals(
      late.message,
      `Cannot reach NATS at 127.0.0.1:${server.port}: no response within timeout (${TIMEOUT} ms)`,
    );
    await lost.close();
  });
});

describe("a broker", () => {
  test("serves only one application", async () => {
    const broker = broadcastChannelBroker("one");
    new Application([], { broker });
    assertThrows(
      () => new Application([], { broker }),
      TypeError,
      "another application uses this broker",
    );
    await broker.close();
  });

  test("may be closed twice", async () => {
    const server = await BrokerServer.redis();
    const broker = await redisBroker(createClient({ url: `redis://127.0.0.1:${server.port}` }));
    assertEquals(broker.status, "up");
    assertEquals(broker.name, `Redis at 127.0.0.1:${server.port}`);
    await broker.close();
    await broker.close();
    await server.stop();
  });

  test("does not disturb other clients", async () => {
    const server = await BrokerServer.redis();
    const client = createClient({ url: `redis://127.0.0.1:${server.port}` });
    await client.connect();
    const broker = await redisBroker(client);
    await broker.subscribe("t");
    assertEquals(await client.set("key", "value"), "OK");
    await broker.close();
    assertEquals(await client.get("key"), "value");
    client.destroy();
    await server.stop();
  });

  test("of NATS leaves the connection open", async () => {
    const server = await BrokerServer.nats();
    const connection = await connectNats(server.port);
    const broker = await natsBroker(connection);
    await broker.subscribe("t");
    await broker.close();
    assertEquals(connection.isClosed(), false);
    await connection.flush();
    await connection.close();
    await server.stop();
  });

  test("of NATS requires a prefix of tokens", async () => {
    const server = await BrokerServer.nats();
    const connection = await connectNats(server.port);
    for (const prefix of ["", "a.", ".a", "a b", "a.*", ">"]) {
      await assertRejects(() => natsBroker(connection, { prefix }), TypeError, "Cannot use prefix");
    }
    await connection.close();
    await server.stop();
  });
});

describe("a message that is too large for the broker", () => {
  test("is delivered in this process, counted, and logged once", async () => {
    const server = await BrokerServer.nats();
    const connection = await connectNats(server.port);
    const logged: string[] = [];
    const app = new Application([], {
      broker: await natsBroker(connection),
      log: (message, error) => logged.push(`${message} ${error}`),
    });
    // NATS' default limit is 1 MiB.
    const tooLarge = "x".repeat(1024 * 1024);
    app.publish("news", tooLarge);
    app.publish("news", tooLarge);
    app.publish("news", "small");
    assertEquals(app.stats().broker?.dropped, 2);
    assertEquals(app.stats().broker?.sent, 1);
    await until("the log", () => logged.length > 0);
    assertEquals(logged.length, 1);
    assertMatch(
      logged[0] ?? "",
      /^NATS at .* failed \(further failures of this kind are only counted\): .*max_payload/,
    );
    await connection.close();
    await server.stop();
  });
});

describe("a closed connection to NATS", () => {
  test("ends the broker, and the reason is reported", async () => {
    const server = await BrokerServer.nats();
    const connection = await connectNats(server.port);
    const told: string[] = [];
    const app = new Application([], {
      broker: await natsBroker(connection),
      onBrokerStatus: (status, error) => told.push(`${status}: ${error?.message}`),
    });
    await connection.close();
    await until("the news of it", () => told.length > 0);
    assertEquals(told, ["down: the connection is closed"]);
    app.publish("news", "x");
    assertEquals(app.stats().broker?.dropped, 1);
    await server.stop();
  });
});
