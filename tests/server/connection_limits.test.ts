import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Refusal } from "../../src/errors.ts";
import { Addresses, reject, writeRefusal } from "../../src/server/connection_limits.ts";
import type { Owner } from "../../src/server/context.ts";
import type { Settings } from "../../src/server/settings.ts";
import type { TrustedProxies } from "../../src/server/trusted_proxy.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { TimingWheel } from "../../src/timing/timing_wheel.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import type { Address } from "../../src/transport/transport.ts";
import { MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { Rig, settle } from "../support/rig.ts";

function tcp(hostname: string): Address {
  return { transport: "tcp", hostname, port: 1 };
}

function addresses(limit: number): Addresses {
  const trusted = { has: (address: Address) => address.hostname === "proxy" };
  return new Addresses(
    { maxConnectionsPerAddress: limit } as Settings,
    trusted as unknown as TrustedProxies,
  );
}

describe("connections of an address", () => {
  test("are counted until they are gone, each once", () => {
    const counted = addresses(2);
    const [a, b, c] = [{}, {}, {}];
    const add = (key: object, hostname = "here") => counted.add(key, tcp(hostname));
    assertEquals([add(a), add(a), add(b), add(c), add(c, "there")], [
      true,
      true,
      true,
      false,
      true,
    ]);
    counted.delete(a);
    counted.delete(a);
    assertEquals([add(c), add(a)], [true, false]);
    assertEquals(counted.size, 1);
    counted.delete(b);
    counted.delete(c);
    assertEquals(counted.size, 0);
    assertEquals([add(a), add(b), add(c)], [true, true, false]);
  });

  test("move when a proxy tells the address of the client", () => {
    const counted = addresses(1);
    const [a, b] = [{}, {}];
    assertEquals([counted.add(a, tcp("here")), counted.add(a, tcp("there"))], [true, true]);
    assertEquals([counted.add(b, tcp("there")), counted.add(b, tcp("here"))], [false, true]);
  });

  test("are not counted for a trusted proxy, a unix socket, or without a limit", () => {
    const one = addresses(1);
    for (let i = 0; i < 3; i++) {
      assertEquals(one.add({}, tcp("proxy")), true);
      assertEquals(one.add({}, { transport: "unix", hostname: "", port: 0 }), true);
      const unlimited = addresses(Infinity);
      assertEquals([unlimited.add({}, tcp("here")), unlimited.size], [true, 0]);
    }
  });
});

describe("a connection that is rejected", () => {
  function make() {
    const clock = new FakeClock();
    const [transport, far] = memoryPair();
    const client = new MemoryClient(far);
    const forgotten: unknown[] = [];
    const owner = { stopping: false, forget: (owned: unknown) => forgotten.push(owned) };
    const refusal = new Refusal(503, "too many connections", { reason: "limit" });
    const wheel = new TimingWheel(clock);
    writeRefusal(transport, refusal);
    const rejected = reject(transport, wheel, owner as unknown as Owner);
    return { clock, client, forgotten, rejected };
  }

  test("gets a response, and is forgotten when the client has ended", async () => {
    const { client, forgotten, rejected } = make();
    rejected.shutdown(1001, "");
    assertEquals(rejected.index, -1);
    await settle();
    assertEquals([client.parseAnswer().status, client.take(), forgotten], [503, ["FIN"], []]);
    client.end();
    await settle();
    assertEquals(forgotten, [rejected]);
  });

  test("has a second to read it", async () => {
    const { client, clock, forgotten, rejected } = make();
    await clock.advance(900);
    assertEquals(client.take(), ["FIN"]);
    await clock.advance(200);
    assertEquals([client.take(), forgotten], [["reset"], [rejected]]);
  });

  test("is cut off by the end of a shutdown", async () => {
    const { client, forgotten, rejected } = make();
    rejected.terminate();
    await settle();
    assertEquals([client.events.at(-1), forgotten], ["reset", [rejected]]);
  });
});

test("a shutdown waits for the sockets of connections that are closed", async () => {
  const rig = new Rig([["/", Recording, []]]);
  const client = await rig.open("rfc6455");
  client.close(1000);
  await settle();
  assertEquals(client.take(), ["close 1000", "FIN"]);
  let isDone = false;
  const done = rig.app.shutdown().then(() => isDone = true);
  await settle();
  assertEquals(isDone, false);
  client.end();
  await done;
});

test("a connection that arrives during a shutdown is rejected", async () => {
  const rig = new Rig([["/", Recording, []]]);
  const client = await rig.open("rfc6455");
  const done = rig.app.shutdown();
  await settle();
  assertEquals(client.take(), ["close 1001"]);
  const { client: late } = rig.join();
  await settle();
  const { status, body } = late.parseAnswer();
  assertEquals([status, body, late.events], [503, "the server is shutting down\n", ["FIN"]]);
  assertEquals(rig.app.stats().refused.stopping, 1);
  late.end();
  client.close(1001);
  client.end();
  await done;
});
