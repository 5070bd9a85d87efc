import { assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { describe, test } from "node:test";
import { BrokerServer, until } from "../brokers/servers.ts";
import { freePort } from "../support/free_port.ts";
import { runtime, scriptCommand } from "../support/runtime.ts";
import { sized } from "../support/sizes.ts";
import { Child } from "../support/spawn.ts";
import { WireSocket } from "../support/wire_socket.ts";

/** The example, started as its header says. */
function startCluster(...args: readonly string[]): Child {
  const [path = "", ...rest] = scriptCommand("examples/cluster.ts", runtime, "--allow-all");
  if (runtime === "deno") rest.splice(1, 0, "--unstable-net");
  return new Child([path, ...rest, ...args]);
}

/** The process that serves a client, and what the client has received since. */
interface Guest {
  readonly host: string;
  readonly heard: string[];
  readonly socket: WireSocket;
}

async function enter(port: number): Promise<Guest> {
  const heard: string[] = [];
  const socket = await WireSocket.open({
    port,
    path: "/websocket",
    version: Math.random() < 0.5 ? "draft76" : "rfc6455",
    onMessage: (message) => heard.push(String(message)),
  });
  await until("the greeting", () => heard.length > 0);
  const [, host = ""] = /^You are served by (.*)\.$/.exec(heard.shift() ?? "") ?? [];
  return { host, heard, socket };
}

/** Connects clients to different processes. The kernel chooses the process of a connection. */
async function enterAll(port: number, hosts: number): Promise<Map<string, Guest>> {
  const guests = new Map<string, Guest>();
  await until(`${hosts} hosts`, async () => {
    const guest = await enter(port);
    if (guests.has(guest.host)) guest.socket.destroy();
    else guests.set(guest.host, guest);
    return guests.size === hosts;
  });
  return guests;
}

/** Each client sends a message, and every client receives all messages. */
async function talk(guests: ReadonlyMap<string, Guest>): Promise<void> {
  const expected = [...guests.values()].map(({ host, socket }) => {
    socket.send("hello");
    return `${host}: hello`;
  });
  for (const { heard } of guests.values()) {
    await until("all of it", () => heard.length >= expected.length);
    assertEquals(heard.splice(0).sort(), expected.sort());
  }
}

async function withCluster(
  args: readonly string[],
  hosts: number,
  body: (port: number, guests: Map<string, Guest>) => Promise<void>,
): Promise<void> {
  const cluster = startCluster(...args);
  const guests = new Map<string, Guest>();
  try {
    const [, port] = await cluster.waitFor(/http:\/\/localhost:(\d+)\/ \(\d (threads|processes)\)/);
    for (const [host, guest] of await enterAll(Number(port), hosts)) guests.set(host, guest);
    await body(Number(port), guests);
    for (const { socket } of guests.values()) socket.destroy();
    assertEquals(await cluster.stop("SIGINT"), 0, cluster.output);
  } finally {
    for (const { socket } of guests.values()) socket.destroy();
    await cluster.stop("SIGKILL");
  }
}

/** Whether this run starts more processes than one cluster of each kind. Bun starts in the least time. */
const isLong = sized({ test: runtime === "bun", soak: true });

describe("the cluster example", () => {
  test("joins threads on one port", () =>
    withCluster(["0", "2"], 2, async (_port, guests) => {
      await talk(guests);
    }));

  test("joins processes on one port by Redis, and starts one again that was killed", async () => {
    const redis = await BrokerServer.redis();
    try {
      const args = ["0", "2", `redis://127.0.0.1:${redis.port}`];
      await withCluster(args, 2, async (port, guests) => {
        await talk(guests);
        const [victim] = [...guests.values()];
        const [, pid] = /^process (\d+)$/.exec(victim?.host ?? "") ?? [];
        process.kill(Number(pid), "SIGKILL");
        guests.delete(victim?.host ?? "");
        await until("its end", () => victim?.socket.isGone ?? false);
        await talk(guests);
        await until("another in its place", async () => {
          // A connection that the kernel had given to the killed process is reset.
          const guest = await enter(port).catch(() => undefined);
          if (guest === undefined) return false;
          if (!guests.has(guest.host)) guests.set(guest.host, guest);
          else guest.socket.destroy();
          return guests.size === 2;
        });
        await talk(guests);
      });
    } finally {
      await redis.stop();
    }
  });

  if (!isLong) return;
  test("joins processes on one port by NATS", async () => {
    const nats = await BrokerServer.nats();
    try {
      await withCluster(["0", "2", `nats://127.0.0.1:${nats.port}`], 2, async (_port, guests) => {
        await talk(guests);
      });
    } finally {
      await nats.stop();
    }
  });

  test("says which broker it cannot reach, and ends", async () => {
    for (const [scheme, name] of [["redis", "Redis"], ["nats", "NATS"]]) {
      const port = await freePort();
      const cluster = startCluster("0", "2", `${scheme}://127.0.0.1:${port}`);
      assertEquals(await cluster.exited, 1, cluster.output);
      assertMatch(
        cluster.output,
        new RegExp(`^Cannot reach ${name} at (nats://)?127.0.0.1:${port}: .*refused`, "im"),
      );
    }
  });
});
