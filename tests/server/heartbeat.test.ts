import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { makeOpening } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

const settings = { pingInterval: 10_000, pingTimeout: 4000 };

describe("pings", () => {
  for (const version of HYBI) {
    test(`${version}: are sent at each interval, and a pong keeps the connection`, async () => {
      const events: string[] = [];
      const rig = new Rig([["/", Recording, events]], settings);
      const client = await rig.open(version);
      // An action may be a tick late, and the next one counts from there.
      await rig.clock.advance(100);
      for (let action = 1; action <= 3; action++) {
        await rig.clock.advance(9_850);
        assertEquals(client.take(), []);
        await rig.clock.advance(150);
        assertEquals(client.take(), ["ping"]);
        client.pong(new Uint8Array(0));
        await settle();
      }
      assertEquals(events, ["open", ...Array(3).fill("pong ")]);
    });

    test(`${version}: a client that is silent for pingTimeout is dropped`, async () => {
      const events: string[] = [];
      const rig = new Rig([["/", Recording, events]], settings);
      const client = await rig.open(version);
      await rig.clock.advance(13_900);
      assertEquals([client.take(), events], [["ping"], ["open"]]);
      await rig.clock.advance(150);
      assertEquals([client.take(), events], [["reset"], ["open", "close"]]);
      assertEquals(rig.clock.pending, 0);
    });

    test(`${version}: any byte shows that the client is alive`, async () => {
      const rig = new Rig([["/", Recording, []]], settings);
      const client = await rig.open(version);
      const message = client.encode((protocol, output) =>
        protocol.writeText(output, "slow and steady")
      );
      for (const byte of message) {
        client.write(Uint8Array.of(byte));
        await rig.clock.advance(5000);
      }
      assertEquals(client.take().every((event) => event === "ping"), true);
    });

    test(`${version}: go on if pingTimeout is 0, and are off if pingInterval is 0`, async () => {
      const patient = new Rig([["/", Recording, []]], { ...settings, pingTimeout: 0 });
      const client = await patient.open(version);
      await patient.clock.advance(100_100);
      assertEquals(client.take(), Array(10).fill("ping"));
      const silent = new Rig([["/", Recording, []]], { pingInterval: 0 });
      const other = await silent.open(version);
      await silent.clock.advance(1_000_000);
      assertEquals([other.take(), silent.clock.pending], [[], 0]);
    });

    test(`${version}: stop when the connection closes`, async () => {
      const rig = new Rig([["/", Recording, []]], settings);
      const client = await rig.open(version);
      client.close(1000);
      client.end();
      await settle();
      await rig.clock.advance(100_000);
      assertEquals(client.take(), ["close 1000", "FIN", "gone"]);
    });
  }

  for (const version of HIXIE) {
    test(`${version}: are replaced by TCP keep-alive with the same interval`, async () => {
      const rig = new Rig([["/", Recording, []]], settings);
      const { client, transport } = rig.join();
      const delays: unknown[] = [];
      transport.setKeepAlive = (on: boolean, delay?: number) => delays.push(on, delay);
      await client.open(version);
      await rig.clock.advance(1_000_000);
      assertEquals([delays, client.take(), rig.clock.pending], [[true, 10_000], [], 0]);
      const off = new Rig([["/", Recording, []]], { pingInterval: 0 });
      const joined = off.join();
      await joined.client.open(version);
      assertEquals(joined.transport.keepAlive, false);
    });
  }
});

describe("idleTimeout", () => {
  for (const version of VERSIONS) {
    test(`${version}: counts from the last message, and not from pings`, async () => {
      const rig = new Rig([["/", Recording, []]], { pingInterval: 0, idleTimeout: 30_000 });
      const client = await rig.open(version);
      for (let waited = 0; waited < 5; waited++) {
        await rig.clock.advance(29_000);
        client.send("still there");
        await settle();
      }
      assertEquals(client.take(), []);
      await rig.clock.advance(20_000);
      if (HYBI.includes(version)) client.ping(new Uint8Array(0));
      await rig.clock.advance(9_900);
      assertEquals(client.take().filter((event) => event !== "pong"), []);
      await rig.clock.advance(150);
      const ends = { draft75: "FIN", draft76: "close" }[version as string];
      assertEquals(client.take(), [ends ?? "close 1001 idle timeout"]);
    });
  }
});

describe("handshakeTimeout", () => {
  const handshakeTimeout = 3000;

  for (const version of VERSIONS) {
    test(`${version}: closes with 408 if the request is late`, async () => {
      const rig = new Rig([["/", Recording, []]], { handshakeTimeout });
      const { head } = makeOpening(version);
      // A byte now and then does not help.
      const client = await rig.send(head.slice(0, 10));
      for (let at = 10; at < 39; at++) {
        await rig.clock.advance(100);
        client.write(head.slice(at, at + 1));
      }
      assertEquals(client.raw, "");
      await rig.clock.advance(150);
      assertEquals(client.parseAnswer().status, 408);
      assertEquals([client.take(), rig.logged], [["FIN"], []]);
      await rig.clock.advance(5100);
      assertEquals([client.take(), rig.clock.pending], [["reset"], 0]);
    });

    test(`${version}: closes with 503 if prepare() is late`, async () => {
      class Slow extends Recording {
        override async prepare(): Promise<void> {
          await new Promise((resolve) => rig.clock.setTimeout(() => resolve(undefined), 5000));
        }
      }
      const events: string[] = [];
      const rig = new Rig([["/", Slow, events]], { handshakeTimeout });
      const client = await rig.send(makeOpening(version).head);
      await rig.clock.advance(2900);
      assertEquals(client.raw, "");
      await rig.clock.advance(150);
      assertEquals(client.parseAnswer().body, "prepare() took too long\n");
      client.end();
      await settle();
      await rig.clock.advance(5000);
      assertEquals([client.take(), events, rig.logged], [["FIN", "gone"], [], []]);
    });

    test(`${version}: logs a later rejection of prepare()`, async () => {
      class Slow extends Recording {
        override async prepare(): Promise<void> {
          await new Promise((resolve) => rig.clock.setTimeout(() => resolve(undefined), 5000));
          throw new Error("no database");
        }
      }
      const rig = new Rig([["/", Slow, []]], { handshakeTimeout });
      const client = await rig.send(makeOpening(version).head);
      await rig.clock.advance(6000);
      assertEquals(client.parseAnswer().status, 503);
      assertEquals(rig.logged, ['Uncaught exception in "/": no database']);
    });

    test(`${version}: ends with the handshake`, async () => {
      const rig = new Rig([["/", Recording, []]], { handshakeTimeout, pingInterval: 0 });
      const client = await rig.open(version);
      await rig.clock.advance(100_000);
      assertEquals([client.take(), rig.clock.pending], [[], 0]);
    });
  }

  test("a connection that sends nothing is dropped without a response", async () => {
    const rig = new Rig([["/", Recording, []]], { handshakeTimeout });
    const { client } = rig.join();
    await rig.clock.advance(2900);
    assertEquals(client.take(), []);
    await rig.clock.advance(150);
    assertEquals([client.raw, client.take(), rig.clock.pending], ["", ["reset"], 0]);
  });

  test("draft76: includes key3", async () => {
    const events: string[] = [];
    const rig = new Rig([["/", Recording, events]], { handshakeTimeout });
    const { head, key3 } = makeOpening("draft76");
    const client = await rig.send(head);
    assertEquals(client.parseAnswer().status, 101);
    client.write(key3.subarray(0, 7));
    await rig.clock.advance(2900);
    assertEquals(client.take(), []);
    await rig.clock.advance(150);
    assertEquals([client.parseAnswer().body, client.take(), events], ["", ["reset"], []]);
  });
});
