import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import type { Position } from "../../src/pubsub/brokers/broker.ts";
import { libraryOf } from "./libraries.ts";
import { until } from "./servers.ts";
import { assertContiguous, bytesOf, LIMITS, numbers, withBench } from "./stored.ts";

for (const name of [libraryOf("Streams")]) {
  describe(`history and presence in Redis by ${name}`, () => {
    test("gives each message one position, whoever publishes at the same time", () =>
      withBench(name, async (bench) => {
        const [first, second] = [await bench.peer(), await bench.peer()];
        for (const { broker } of [first, second]) await broker.subscribe("news");
        const texts = numbers(1, 100);
        const [ofFirst, ofSecond] = await Promise.all(
          [first, second].map((peer, index) =>
            Promise.all(texts.map((text) => peer.append("news", `${index} ${text}`)))
          ),
        );
        for (const peer of [first, second]) assertContiguous(await peer.received(200));
        assertEquals(first.arrived, second.arrived);
        for (const [index, positions] of [ofFirst ?? [], ofSecond ?? []].entries()) {
          const own = first.arrived.filter(({ text }) => text.startsWith(`${index} `));
          assertEquals(own.map(({ text }) => text), texts.map((text) => `${index} ${text}`));
          assertEquals(own.map(({ stored }) => stored?.offset), positions.map((at) => at.offset));
        }
        const page = await second.history.read("news");
        assertEquals(page.messages.map(({ offset }) => offset), numbers(1, 200).map(Number));
        assert(page.messages.every(({ time }) => Math.abs(time - Date.now()) < 600_000));
        assertEquals(page.position.offset, 200);
      }));

    test("carries any bytes, and messages without a history beside them", () =>
      withBench(name, async (bench) => {
        const peer = await bench.peer();
        await peer.broker.subscribe("t");
        const forged = ["WSH\u0001", "WSH\u0001e:1\nx", "WSH\u0001:\nx", "WSH\u0001:0\n"];
        const texts = ["", "\n", "\u0000", "x".repeat(5_000_000), ...forged];
        for (const text of texts) {
          peer.broker.publish("t", bytesOf(text));
          await peer.append("t", text);
        }
        const arrived = await peer.received(texts.length * 2);
        const plain = arrived.filter(({ stored }) => stored === undefined);
        assert(plain.map(({ text }) => text).every((text, index) => text === texts[index]));
        const stored = arrived.filter(({ stored }) => stored !== undefined);
        assert(stored.map(({ text }) => text).every((text, index) => text === texts[index]));
        assertContiguous(stored);
        const [, kept] = await peer.read("t");
        assertEquals(kept.length, texts.length);
        assert(kept.every((text, index) => text === texts[index]));
        // Headers that are damaged or of another form are no positions.
        const foreign = [
          "WSH\u0001e:0\nx",
          "WSH\u0001e:1",
          "WSH\u0001e e:1\nx",
          "WSH\u0001e:01\nx",
        ];
        for (const text of [...foreign, `WSH\u0001e:${"9".repeat(16)}\nx`]) {
          await bench.admin.publish("waterspout:t", text);
          await until("the message", () => peer.arrived.at(-1)?.text === text);
          assertEquals(peer.arrived.at(-1)?.stored, undefined);
        }
      }));

    test("keeps the order when Redis forgets the scripts", () =>
      withBench(name, async (bench) => {
        const peer = await bench.peer();
        for (let round = 0; round < 5; round++) {
          const appended = numbers(1, 50).map((text) => peer.append("t", text));
          await bench.admin.sendCommand(["SCRIPT", "FLUSH"]);
          appended.push(...numbers(51, 100).map((text) => peer.append("t", text)));
          const offsets = (await Promise.all(appended)).map(({ offset }) => offset);
          assertEquals(offsets, numbers(round * 100 + 1, round * 100 + 100).map(Number));
        }
        assertEquals(await peer.read("t"), [false, Array(5).fill(numbers(1, 100)).flat()]);
      }));

    test("joins an id that several processes hold, and replaces its information", () =>
      withBench(name, async (bench) => {
        const [{ presence: here }, { presence: there }] = [await bench.peer(), await bench.peer()];
        const ann = { id: "ann 日本", info: '{"a":1}' };
        const bob = { id: "bob", info: "null" };
        const none = { joined: [], left: [] };
        assertEquals(await here.enter("t", [ann, bob], 60_000), { joined: [ann, bob], left: [] });
        assertEquals(await here.enter("t", [ann], 60_000), none);
        const newer = { ...ann, info: '"newer"' };
        assertEquals(await there.enter("t", [newer], 60_000), none);
        assertEquals(await there.list("t"), await here.list("t"));
        assertEquals(
          (await here.list("t")).toSorted((a, b) => a.id < b.id ? -1 : 1),
          [newer, bob],
        );
        assertEquals(await here.list("other"), []);
        assertEquals(await here.leave("t", [ann.id, "unknown"]), none);
        assertEquals(await here.leave("t", [ann.id]), none);
        assertEquals(await there.leave("t", [ann.id]), { joined: [], left: [newer] });
        assertEquals(await here.list("t"), [bob]);
        assertEquals(await there.leave("t", [bob.id]), none);
        assertEquals(await here.leave("t", [bob.id]), { joined: [], left: [bob] });
        assertEquals(await bench.admin.keys("*"), []);
      }));
  });
}

/** What the scripts do does not depend on the client library. */
const name = "npm:redis";

describe("history and presence in Redis by any client", () => {
  test("keeps the newest messages within size, maxBytes and ttl", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      const { epoch } = await peer.appendAll("size", numbers(1, 5), { ...LIMITS, size: 3 });
      assertEquals(await peer.read("size"), [false, ["3", "4", "5"]]);
      assertEquals(await peer.read("size", { epoch, offset: 2 }), [true, ["3", "4", "5"]]);
      assertEquals(await peer.read("size", { epoch, offset: 1 }), [false, ["3", "4", "5"]]);
      assertEquals(await peer.read("size", { epoch, offset: 5 }), [true, []]);
      assertEquals(await peer.read("size", { epoch, offset: 6 }), [false, ["3", "4", "5"]]);
      await peer.append("size", "6", { ...LIMITS, size: 1 });
      assertEquals(await peer.read("size"), [false, ["6"]]);

      const small = { ...LIMITS, maxBytes: 10 };
      await peer.appendAll("bytes", ["aaaaa", "bbbbb"], small);
      assertEquals(await peer.read("bytes"), [false, ["aaaaa", "bbbbb"]]);
      await peer.append("bytes", "c", small);
      assertEquals(await peer.read("bytes"), [false, ["bbbbb", "c"]]);
      const last = await peer.append("bytes", "more than ten", small);
      assertEquals(await peer.read("bytes", last), [true, []]);
      assertEquals(await peer.read("bytes", { ...last, offset: 3 }), [false, []]);
      await peer.append("bytes", "d", small);
      assertEquals(await peer.read("bytes", last), [true, ["d"]]);

      const short = { ...LIMITS, ttl: 40 };
      const old = await peer.appendAll("ttl", ["a", "b"], short);
      await until("the end of ttl", async () => (await peer.read("ttl"))[1].length === 0);
      assertEquals(await peer.read("ttl", old), [true, []]);
      assertEquals(await peer.read("ttl", { ...old, offset: 1 }), [false, []]);
      assertEquals((await peer.append("ttl", "c", short)).offset, 3);
      assertEquals((await peer.append("unlimited", "a", { ...LIMITS, ttl: 0 })).offset, 1);
      assertEquals(await bench.admin.pTTL("waterspout:{unlimited}:meta"), -1);
      assertEquals(await bench.admin.pTTL("waterspout:{unlimited}:log"), -1);
    }));

  test("has positions of one topic only", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      const positions: Record<string, Position> = {};
      const topics = [
        "a",
        "}",
        "{",
        "{}",
        "a}b",
        "%7D",
        "a%b",
        "日本 👋",
        "\r\n",
        "x".repeat(256),
      ];
      for (const topic of topics) {
        await peer.broker.subscribe(topic);
        positions[topic] = await peer.appendAll(topic, [`1 ${topic}`, `2 ${topic}`]);
      }
      const arrived = await peer.received(topics.length * 2);
      for (const topic of topics) {
        assertEquals((await peer.read(topic))[1], [`1 ${topic}`, `2 ${topic}`]);
        const own = arrived.filter(({ stored }) => stored?.topic === topic);
        assertEquals(own.map(({ text }) => text), [`1 ${topic}`, `2 ${topic}`]);
        for (const other of topics.filter((other) => other !== topic)) {
          assertEquals((await peer.read(topic, positions[other]))[0], false, other);
        }
      }
    }));

  test("starts another epoch when Redis loses everything", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      const before = await peer.appendAll("t", ["a", "b"]);
      await bench.admin.flushAll();
      assertEquals(await peer.read("t", before), [false, []]);
      const after = await peer.append("t", "c");
      assertEquals(after.offset, 1);
      assertNotEquals(after.epoch, before.epoch);
      assertEquals(await peer.read("t", { ...before, offset: 0 }), [false, ["c"]]);
      // If only one of the keys is lost, nothing is mixed up.
      await bench.admin.del("waterspout:{t}:log");
      assertEquals(await peer.read("t", after), [true, []]);
      assertEquals(await peer.read("t", { ...after, offset: 0 }), [false, []]);
      assertEquals((await peer.append("t", "d")).offset, 2);
      await bench.admin.del("waterspout:{t}:meta");
      assertEquals((await peer.append("t", "e")).offset, 1);
      assertEquals(await peer.read("t"), [false, ["e"]]);
    }));

  test("keeps 16 epochs that lead to the current one", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      const positions: Position[] = [];
      for (let epoch = 0; epoch < 20; epoch++) {
        positions.push(await peer.append("t", `${epoch}`));
        // As if the server had restarted.
        await bench.admin.hSet("waterspout:{t}:meta", "run", "another");
      }
      await peer.append("t", "20");
      assertEquals(new Set(positions.map(({ epoch }) => epoch)).size, 20);
      for (const [index, position] of positions.entries()) {
        const expected = index < 4 ? numbers(0, 20) : numbers(index + 1, 20);
        assertEquals(await peer.read("t", position), [index >= 4, expected]);
        assertEquals((await peer.read("t", { ...position, offset: index + 2 }))[0], false);
      }
    }));

  test("says what is wrong with damaged keys, and other topics go on", () =>
    withBench(name, async (bench) => {
      const peer = await bench.peer();
      const { admin } = bench;
      const rows: [string, () => Promise<unknown>, RegExp][] = [
        ["meta", () => admin.set("waterspout:{meta}:meta", "x"), /WRONGTYPE/],
        ["log", () => admin.set("waterspout:{log}:log", "x"), /WRONGTYPE/],
        ...Object.entries({
          offset: "-1",
          bytes: "a\r\nb",
          ttl: "1.5",
          epoch: "a b",
        }).map(([field, value]): [string, () => Promise<unknown>, RegExp] => [
          field,
          () => admin.hSet(`waterspout:{${field}}:meta`, field, value),
          new RegExp(`hash waterspout:{${field}}:meta is damaged: ${field} must be .*, got`),
        ]),
      ];
      for (const [topic, damage, message] of rows) {
        await peer.append(topic, "a");
        await admin.del([`waterspout:{${topic}}:${topic === "log" ? "log" : "x"}`]);
        if (topic === "meta") await admin.del("waterspout:{meta}:meta");
        await damage();
        const stored = await assertRejects(() => peer.append(topic, "b"), Error);
        assertMatch(stored.message, message);
        assert(
          stored.message.startsWith(`Cannot store a message of topic "${topic}" in Redis: `),
        );
        const read = await assertRejects(() => peer.history.read(topic), Error);
        assertMatch(read.message, message);
        assert(read.message.startsWith(`Cannot read the history of topic "${topic}" in Redis: `));
      }
      await peer.appendAll("hole", ["a", "b", "c"]);
      await admin.xDel("waterspout:{hole}:log", "2-0");
      assertEquals(
        (await assertRejects(() => peer.history.read("hole"), Error)).message,
        `Cannot use what Redis stores for topic "hole": expected message 2-0, got "3-0"`,
      );
      await peer.appendAll("end", ["a", "b"]);
      await admin.xDel("waterspout:{end}:log", "2-0");
      await assertRejects(() => peer.history.read("end"), Error, "to have the offset 2, got 1");
      await admin.xAdd("waterspout:{end}:log", "9-0", { t: "0", m: "x" });
      await assertRejects(() => peer.append("end", "c"), Error, "equal or smaller");
      assertEquals((await peer.append("fine", "a")).offset, 1);
      assertEquals(peer.failures, []);
      assertEquals(peer.statuses, []);
    }));

  test("forgets the entries of a process that died, and tells it once", () =>
    withBench(name, async (bench) => {
      const [dead, first, second] = [await bench.peer(), await bench.peer(), await bench.peer()];
      const [ann, bob] = [{ id: "ann", info: "1" }, { id: "bob", info: "2" }];
      // Bob is here twice before an entry expires.
      await first.presence.enter("t", [bob], 60_000);
      await dead.presence.enter("t", [ann, bob], 100);
      await dead.broker.close();
      await until("the end", async () => (await second.presence.list("t")).length === 1);
      assertEquals(await second.presence.list("t"), [bob]);
      const changes = await Promise.all([
        first.presence.enter("t", [bob], 60_000),
        second.presence.leave("t", []),
        second.presence.enter("t", [bob], 60_000),
      ]);
      assertEquals(changes.flatMap(({ left }) => left), [ann]);
      assertEquals(changes.flatMap(({ joined }) => joined), []);
    }));
});
