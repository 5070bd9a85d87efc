/**
 * Cases: subscriptions begin and end when they should, and topics are separate.
 *
 * @module
 */
import { expectEqual } from "./expectations.ts";
import type { CaseSpec, Scene } from "./scene.ts";

async function isActive(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  for (let round = 0; round < 20; round++) {
    const topic = scene.topic();
    await scene.subscribe(receiver, topic);
    publisher.publish(topic, `m ${round}`);
    await scene.fence(publisher, topic, receiver);
    const what = "A message that was published when subscribe had settled";
    expectEqual(receiver.texts(`m ${round}`), [`m ${round}`], what);
  }
}

async function receivesNothingElse(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const [topic, other] = [scene.topic(), scene.topic()];
  await scene.subscribe(receiver, topic);
  const witness = await scene.join();
  await scene.subscribe(witness, other);
  publisher.publish(other, "m other");
  await scene.fence(publisher, other, witness);
  await scene.fence(publisher, topic, receiver);
  expectEqual(receiver.texts("m "), [], "Messages of topics without a subscription");
}

async function endsDelivery(scene: Scene): Promise<void> {
  const [publisher, receiver, witness] = [
    await scene.join(),
    await scene.join(),
    await scene.join(),
  ];
  const [left, kept] = [scene.topic(), scene.topic()];
  await scene.subscribe(receiver, left, kept);
  await scene.subscribe(witness, left);
  await scene.fence(publisher, left, receiver, witness);
  await scene.unsubscribe(receiver, left);
  publisher.publish(left, "m left");
  await scene.fence(publisher, left, witness);
  await scene.fence(publisher, kept, receiver);
  expectEqual(receiver.texts("m "), [], "Messages after unsubscribe");
}

async function subscribesAgain(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  for (let round = 0; round < 5; round++) {
    await scene.subscribe(receiver, topic);
    publisher.publish(topic, `m ${round}`);
    await scene.fence(publisher, topic, receiver);
    await scene.unsubscribe(receiver, topic);
  }
  const expected = Array.from({ length: 5 }, (_, round) => `m ${round}`);
  expectEqual(receiver.texts("m "), expected, "The messages of five subscriptions");
}

async function changesAtOnce(scene: Scene): Promise<void> {
  const [publisher, receiver, witness] = [
    await scene.join(),
    await scene.join(),
    await scene.join(),
  ];
  const topics = Array.from({ length: 40 }, () => scene.topic());
  const isOdd = (topic: string) => topics.indexOf(topic) % 2 === 1;
  await scene.waiting.within(
    "40 subscriptions at the same time settle",
    Promise.all([
      ...topics.map((topic) => receiver.broker.subscribe(topic)),
      ...topics.map((topic) => witness.broker.subscribe(topic)),
    ]),
  );
  await scene.waiting.within(
    "20 changes at the same time settle",
    Promise.all(
      topics.filter(isOdd).map(async (topic, index) => {
        await receiver.broker.unsubscribe(topic);
        if (index % 2 === 0) await receiver.broker.subscribe(topic);
      }),
    ),
  );
  const active = topics.filter((topic) => !isOdd(topic) || topics.indexOf(topic) % 4 === 1);
  for (const topic of topics) publisher.publish(topic, `m ${topic}.`);
  await scene.fence(publisher, topics, witness);
  await scene.fence(publisher, active, receiver);
  for (const topic of topics) {
    const expected = active.includes(topic) || scene.setup.sharesTopics ? 1 : 0;
    expectEqual(receiver.texts(`m ${topic}.`).length, expected, `Messages of topic ${topic}`);
  }
}

/** The longest topic, in code units. */
const LONGEST = 256;

/** Ends of topics that a broker may take for something else. Each differs from all others. */
const ENDS = [
  "",
  " ",
  "  ",
  "a b",
  ".",
  "..",
  ".a",
  "a.",
  "a..b",
  "*",
  "a*",
  "a.*",
  ">",
  "a.>",
  "?",
  "[a]",
  "{a}",
  "}{",
  "%",
  "%2E",
  "%2e",
  "%41",
  "a",
  "A",
  "/a",
  "a/",
  "#",
  "+",
  "$a",
  "'\"`;--",
  "\\",
  ":",
  "@",
  "\u0000",
  "\r\n",
  "\t",
  "é",
  "e\u0301",
  "ß",
  "日本",
  "\u{1f44b}",
  "\ufeff",
  "\uffff",
  "__proto__",
];

/** Topics with any characters, of up to 256 code units. */
export function strangeTopics(scene: Scene): string[] {
  const start = scene.topic();
  const long = ["a", "b", "\uffff", "\u{1f44b}", "*", " "].map((text) => {
    const room = LONGEST - start.length;
    return start + text.repeat(Math.floor(room / text.length));
  });
  // Two that differ in the last of 256 code units.
  const almost = start + "c".repeat(LONGEST - start.length - 1);
  return [...ENDS.map((end) => start + end), ...long, `${almost}d`, `${almost}e`, "*", ">", "."];
}

async function takesTopics(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  for (const topic of strangeTopics(scene)) {
    await scene.subscribe(receiver, topic);
    publisher.publish(topic, "m");
    await scene.fence(publisher, topic, receiver);
    expectEqual(receiver.texts("m"), ["m"], `Messages of topic ${JSON.stringify(topic)}`);
    receiver.received.length = 0;
    await scene.unsubscribe(receiver, topic);
  }
}

async function separatesTopics(scene: Scene): Promise<void> {
  const publisher = await scene.join();
  const topics = strangeTopics(scene);
  const text = (topic: string) => `m ${topics.indexOf(topic)}.`;
  // The process of each bit subscribes to the topics whose number has it. So for any two topics
  // there is a process that subscribes to only one of them.
  for (let bit = 1; bit < topics.length; bit *= 2) {
    const peer = await scene.join();
    const mine = topics.filter((_, index) => (index & bit) !== 0);
    await scene.subscribe(peer, ...mine);
    for (const topic of topics) publisher.publish(topic, text(topic));
    await scene.fence(publisher, mine, peer);
    const what = `Messages of process ${bit}, which subscribes to half of the topics`;
    expectEqual(peer.texts("m ").sort(), mine.map(text).sort(), what);
  }
}

/** Topics and subscriptions. */
export const topicCases: readonly CaseSpec[] = [
  { name: "a subscription is active when subscribe settles", run: isActive },
  {
    name: "nothing arrives of topics without a subscription",
    needs: ["separate topics"],
    run: receivesNothingElse,
  },
  { name: "nothing arrives after unsubscribe", needs: ["separate topics"], run: endsDelivery },
  { name: "a topic can be subscribed to again", run: subscribesAgain },
  { name: "many subscriptions change at the same time", run: changesAtOnce },
  { name: "a topic has any characters", run: takesTopics },
  {
    name: "similar topics are different",
    needs: ["separate topics"],
    run: separatesTopics,
  },
];
