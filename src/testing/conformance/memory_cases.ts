/**
 * Cases: what clients of two applications see of history and presence.
 *
 * @module
 */
import type { Position } from "../../pubsub/brokers/broker.ts";
import type { Settings } from "../../server/settings.ts";
import { expect, expectEqual } from "./expectations.ts";
import { Process } from "./process.ts";
import type { CaseSpec, Scene } from "./scene.ts";

/** All topics have a history, and clients get the offset of each message. */
const HISTORY: Partial<Settings> = {
  history: { "*": { format: (message, { offset }) => `${offset} ${String(message)}` } },
};

/** Publishes a text and waits until it is stored. */
function store(scene: Scene, { app }: Process, topic: string, text: string): Promise<Position> {
  return scene.waiting.within("a message is stored", app.publish(topic, text).position);
}

async function recovers(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene, HISTORY);
  const topic = scene.topic();
  const client = await second.join(topic);
  const seen = await store(scene, first, topic, "a");
  expectEqual(await client.take(1), ["1 a"], "The first message");
  await client.close();
  for (const process of [first, second]) {
    await store(scene, process, topic, "b");
    await store(scene, process, topic, "c");
  }
  const missed = ["2 b", "3 c", "4 b", "5 c"];
  const back = [];
  for (const process of [first, second]) {
    const again = await process.connect(topic, { since: JSON.stringify(seen) });
    expectEqual(await again.take(5), [...missed, "recovered true"], "What a client had missed");
    back.push(again);
  }
  await store(scene, first, topic, "d");
  for (const again of back) expectEqual(await again.take(1), ["6 d"], "The message after recovery");
  const strange = await first.connect(topic, { since: '{"epoch":"another","offset":1}' });
  expectEqual(await strange.take(1), ["recovered false"], "Recovery from a foreign position");
}

async function recoversAfterRestart(scene: Scene): Promise<void> {
  const processes = await Process.two(scene, HISTORY);
  const [first, second] = processes;
  const topic = scene.topic();
  // Each process keeps the topic while it has a client.
  const [here, there] = [
    await first.connect(topic, { gaps: "told" }),
    await second.connect(topic, { gaps: "told" }),
  ];
  for (const client of [here, there]) expectEqual(await client.take(1), ["joined"], "Greeting");
  const seen = await store(scene, first, topic, "a");
  await store(scene, second, topic, "b");
  const has = (text: string) =>
    scene.waiting.until(
      `each client gets "${text}"`,
      () => [here, there].every(({ messages }) => messages.includes(text)),
    );
  await has("2 b");
  await scene.stop();
  for (const process of processes) await process.reported("down");
  await scene.start();
  for (const process of processes) await process.reported("up");
  const { offset } = await store(scene, first, topic, "c");
  // If data were lost, this message may belong to the gap.
  await scene.waiting.until(
    'each client gets "c" or is told of a gap',
    () =>
      [here, there].every(({ messages }) =>
        messages.includes(`${offset} c`) || messages.includes("gap")
      ),
  );
  await store(scene, second, topic, "d");
  await has(`${offset + 1} d`);
  const back = await second.connect(topic, { since: JSON.stringify(seen) });
  await scene.waiting.until(
    "a client is told whether it has recovered",
    () => String(back.messages.at(-1)).startsWith("recovered"),
  );
  // Recovered: then without a hole. Otherwise the client is told.
  if (back.messages[0] === "recovered false") return;
  const expected = ["2 b", `${offset} c`, `${offset + 1} d`, "recovered true"];
  expectEqual(back.messages, expected, "What a client had missed before a restart");
}

async function isPresent(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene);
  const topic = scene.topic();
  const here = async ({ app }: Process) =>
    (await scene.waiting.within("presence() settles", app.presence(topic))).map(({ id }) => id);
  const ann = await first.connect(topic, { id: "ann" });
  const told = () => ann.messages.map(String);
  const isTold = (event: string) =>
    scene.waiting.until(`a client is told "${event}"`, () => told().includes(event));
  await scene.waiting.until("a client is present", async () => (await here(second)).length === 1);
  const bob = await second.connect(topic, { id: "bob" });
  const other = await first.connect(topic, { id: "bob" });
  await isTold("join bob");
  for (const process of [first, second]) {
    expectEqual(await here(process), ["ann", "bob"], "The list at each process");
  }
  await bob.close();
  await other.close();
  await isTold("leave bob");
  expectEqual(await here(second), ["ann"], "The list after the last connection of an id");
  const [joins, leaves] = ["join bob", "leave bob"].map((event) =>
    told().filter((text) => text === event).length
  );
  expect(joins === 1 && leaves === 1, `Expected one join and one leave, got ${joins}, ${leaves}`);
}

/** History and presence of two applications. */
export const memoryCases: readonly CaseSpec[] = [
  {
    name: "applications: a client that returns gets what it missed, from any process",
    needs: ["history"],
    run: recovers,
  },
  {
    name: "applications: after a restart, a client that returns has no silent hole",
    needs: ["history", "stop"],
    run: recoversAfterRestart,
  },
  {
    name: "applications: presence is told once, and listed by all processes",
    needs: ["presence"],
    run: isPresent,
  },
];
