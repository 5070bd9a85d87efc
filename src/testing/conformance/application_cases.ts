/**
 * Cases: what clients of two applications see.
 *
 * @module
 */
import { expect, expectEqual } from "./expectations.ts";
import { numbered } from "./message_cases.ts";
import { type Client, Process } from "./process.ts";
import type { CaseSpec, Scene } from "./scene.ts";
import { strangeTopics } from "./topic_cases.ts";
import { sleep } from "./waiting.ts";

async function exchanges(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene);
  const topic = scene.topic();
  const [here, there, old] = [
    await first.join(topic),
    await second.join(topic),
    await second.join(topic, "draft76"),
  ];
  const bytes = Uint8Array.of(0, 1, 0xff);
  const texts = numbered("žluťoučký 👋", 200);
  for (const text of texts) first.app.publish(topic, text);
  first.app.publish(topic, bytes);
  second.app.publish(topic, "back");
  first.app.publish(topic, "last");
  for (const client of [here, there, old]) {
    // draft76 has no binary messages.
    const expected = client === old ? [...texts, "last"] : [...texts, bytes, "last"];
    const messages = await client.take(expected.length + 1);
    const [others, back] = [
      messages.filter((message) => message !== "back"),
      messages.filter((message) => message === "back"),
    ];
    expectEqual(others, expected, "The messages of the first process");
    expectEqual(back, ["back"], "The messages of the second process");
  }
  // A second copy would have arrived by now.
  second.app.publish(topic, "end");
  for (const client of [here, there, old]) {
    expectEqual(await client.take(1), ["end"], "The last message");
  }
  expectEqual(first.counts.sent, 202, "The number of messages sent to the broker");
  expectEqual(second.counts.received, 202, "The number of messages from the other process");
}

async function exceptsSpeaker(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene);
  const topic = scene.topic();
  const [speaker, neighbour] = [await first.join(topic), await first.join(topic)];
  const other = await second.join(topic);
  speaker.send("hello");
  expectEqual(await neighbour.take(1), ["hello"], "What a neighbour receives");
  expectEqual(await other.take(1), ["hello"], "What a client of the other process receives");
  second.app.publish(topic, "end");
  expectEqual(await speaker.take(1), ["end"], "What the speaker receives: not its own message");
}

async function separatesTopics(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene);
  // Clients resolve a path of ".".
  const topics = strangeTopics(scene).filter((topic) => topic !== ".");
  const clients = [];
  for (const topic of topics) clients.push(await second.join(topic));
  for (const topic of topics) first.app.publish(topic, `to ${topic}`);
  for (const topic of topics) first.app.publish(topic, "end");
  for (const [index, topic] of topics.entries()) {
    const what = `Messages of topic ${JSON.stringify(topic)}`;
    expectEqual(await clients[index]?.take(2), [`to ${topic}`, "end"], what);
  }
}

async function comesAndGoes(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene);
  const topic = scene.topic();
  const [one, two] = [await second.join(topic), await second.join(topic, "draft76")];
  const left = (count: number) =>
    scene.waiting.until("a client has left", () => second.app.subscriberCount(topic) === count);
  await one.close();
  await left(1);
  first.app.publish(topic, "still");
  expectEqual(await two.take(1), ["still"], "What the last client of a topic receives");
  await two.close();
  await left(0);
  const again = await second.join(topic);
  first.app.publish(topic, "to the new one");
  expectEqual(await again.take(1), ["to the new one"], "What a client that came later receives");
}

/** Data that is not in the format of applications: texts as bytes. */
const FOREIGN = [
  "",
  "hello",
  "WSP\u0001",
  // A payload that is too short, one that is too long, and a text that is not UTF-8.
  "WSP\u0001SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0003newshi",
  "WSP\u0001SENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0001newshi",
  "WSP\u00ffSENDER..\u0000\u0000\u0004\u0000\u0000\u0000\u0002newshi",
  "WSP\u0001SENDER..\u0000\u0000\u0001\u0000\u0000\u0000\u0002\u00ffhi",
];

async function ignoresForeign(scene: Scene): Promise<void> {
  const [first, second] = await Process.two(scene);
  const topic = scene.topic();
  const client = await second.join(topic);
  const stranger = await scene.connect();
  for (const text of FOREIGN) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    stranger.publish(topic, bytes);
  }
  await scene.waiting.until(
    () =>
      `${FOREIGN.length} foreign messages are counted as invalid; ` +
      `${second.app.stats().broker?.invalid} are`,
    () => second.app.stats().broker?.invalid === FOREIGN.length,
  );
  expectEqual(second.logged.length, 1, "The number of log lines about foreign messages");
  first.app.publish(topic, "end");
  expectEqual(await client.take(1), ["end"], "The message after foreign ones");
}

async function servesItselfWhileDown(scene: Scene): Promise<void> {
  const processes = await Process.two(scene);
  const [first, second] = processes;
  const [topic, old, late] = [scene.topic(), scene.topic(), scene.topic()];
  const [here, there] = [await first.join(topic), await second.join(topic)];
  const leaver = await second.join(old);
  await scene.stop();
  for (const process of processes) await process.reported("down");
  for (let number = 0; number < 3; number++) first.app.publish(topic, `alone ${number}`);
  expectEqual(await here.take(3), ["alone 0", "alone 1", "alone 2"], "Messages while it is down");
  expectEqual(first.counts.dropped, 3, "The number of dropped messages");
  // Subscriptions change in the meantime.
  const newcomer = await second.join(late);
  await leaver.close();
  await scene.start();
  for (const process of processes) await process.reported("up");
  for (const { statuses } of processes) {
    expectEqual(statuses, ["down", "up"], "The statuses that the application was told");
  }
  await scene.waiting.until("a subscription from while it was down is active", () => {
    first.app.publish(late, "late");
    return newcomer.messages.length > 0;
  });
  first.app.publish(topic, "together");
  expectEqual(await there.take(1), ["together"], "What arrives when it is up again");
  expectEqual(await here.take(1), ["together"], "What arrives in the same process");
  const logged = processes.flatMap((process) => process.logged);
  expectEqual(logged, [], "Log lines besides the status");
}

async function subscribesAcrossRestart(scene: Scene): Promise<void> {
  const processes = await Process.two(scene);
  const [first, second] = processes;
  const topic = scene.topic();
  await scene.pause();
  // The server receives this subscription, but is killed before it answers.
  const client = await second.connect(topic, {});
  await sleep(20);
  await scene.stop();
  for (const process of processes) await process.reported("down");
  await scene.start();
  for (const process of processes) await process.reported("up");
  expectEqual(await client.take(1), ["joined"], "What a client is told about its subscription");
  let attempts = 0;
  await scene.waiting.until("the subscription is active after the restart", () => {
    first.app.publish(topic, `attempt ${attempts++}`);
    return client.messages.length > 0;
  });
  first.app.publish(topic, "last");
  await scene.waiting.until("the last message", () => client.messages.includes("last"));
  // A second copy would have arrived by now.
  first.app.publish(topic, "end");
  await scene.waiting.until("the end", () => client.messages.includes("end"));
  const messages = await client.take(0);
  expectEqual(messages, [...new Set(messages)], "The messages, each of them once");
  const logged = processes.flatMap((process) => process.logged);
  expectEqual(logged, [], "Log lines besides the status");
}

/** So many topics that each of several servers has some. */
const SPREAD = 40;

/** How many of them have a client. */
const FOLLOWED = 4;

async function limitsWaiting(scene: Scene): Promise<void> {
  const limit = 1024 * 1024;
  const publisher = await Process.start(scene, { limits: { maxBufferedAmount: limit } });
  const receiver = await Process.start(scene);
  const topics = Array.from({ length: SPREAD }, () => scene.topic());
  const clients: Client[] = [];
  for (const topic of topics.slice(0, FOLLOWED)) clients.push(await receiver.join(topic));
  await scene.pause();
  let published = 0;
  const sent: string[][] = topics.map(() => []);
  const publish = () => {
    const [index, before] = [published % SPREAD, publisher.counts.sent];
    publisher.app.publish(topics[index]!, `${published} ${"x".repeat(10_000)}`);
    if (publisher.counts.sent > before) sent[index]!.push(`${published}`);
    published++;
  };
  while (publisher.app.stats().broker?.status === "up") {
    publish();
    expect(published < 2000, 'Expected the status "slow" while the server hangs');
    // Answers that were sent before the pause still arrive.
    if (published % 20 === 0) await sleep(0);
  }
  const before = publisher.counts;
  expect(before.dropped > 0, "The number of dropped messages when it becomes slow: got 0");
  expectEqual(before.sent + before.dropped, published, "The messages that were sent or dropped");
  for (let more = 0; more < 100; more++) publish();
  const counts = { sent: before.sent, received: 0, dropped: before.dropped + 100 };
  expectEqual(publisher.counts, counts, "The counters while it is slow");
  await scene.resume();
  await publisher.reported("up");
  expectEqual(publisher.statuses, ["slow", "up"], "The statuses that the application was told");
  for (const [index, client] of clients.entries()) {
    const { length } = sent[index]!;
    await scene.waiting.until("each message that was counted as sent arrives", () => {
      return client.messages.length >= length;
    });
    const last = publisher.counts.sent;
    await scene.waiting.until("each server takes messages again", () => {
      publisher.app.publish(topics[index]!, "again");
      return publisher.counts.sent > last;
    });
    const messages = (await client.take(length + 1)).map((text) => String(text).split(" ")[0]);
    expectEqual(messages, [...sent[index]!, "again"], "The messages that were counted as sent");
  }
}

/** Topics of two applications. */
export const applicationCases: readonly CaseSpec[] = ([
  { name: "clients of every version exchange text and bytes, once and in order", run: exchanges },
  { name: "the client that publishes does not get its message back", run: exceptsSpeaker },
  { name: "topics with any characters are separate", run: separatesTopics },
  {
    name: "the first client of a topic subscribes, and the last one unsubscribes",
    run: comesAndGoes,
  },
  { name: "foreign messages are counted and logged once", run: ignoresForeign },
  {
    name: "while it is down, each serves its own clients, and then all again",
    needs: ["stop"],
    run: servesItselfWhileDown,
  },
  {
    name: "a subscription without an answer is made when it is up again, and nothing is logged",
    needs: ["pause", "stop"],
    run: subscribesAcrossRestart,
  },
  {
    name: "while the server hangs, messages that wait are limited and counted",
    needs: ["pause"],
    run: limitsWaiting,
  },
] as const).map(({ name, ...more }) => ({ name: `applications: ${name}`, ...more }));
