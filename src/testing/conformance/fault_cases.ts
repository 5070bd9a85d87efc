/**
 * Cases: the server is killed and started again, or hangs.
 *
 * @module
 */
import { expect, expectEqual } from "./expectations.ts";
import { numbered } from "./message_cases.ts";
import type { CaseSpec, Peer, Scene } from "./scene.ts";
import { sleep } from "./waiting.ts";

async function reportsStatus(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  // They must notice without traffic and without subscriptions.
  await scene.stop(one, other);
  expectEqual(one.broker.status, "down", "status while the server is down");
  await scene.start(one, other);
  for (const peer of [one, other]) {
    expectEqual(peer.statuses, ["down", "up"], "The reported statuses");
  }
}

async function dropsWhileDown(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  await scene.stop(publisher, receiver);
  for (let number = 0; number < 10; number++) {
    try {
      publisher.publish(topic, `m ${number}`);
    } catch (error) {
      expect(false, `publish while the broker is down: must drop the message, threw ${error}`);
    }
  }
  expectEqual(publisher.broker.status, "down", "status after publish while it is down");
  await scene.start(publisher, receiver);
  await scene.fence(publisher, topic, receiver);
  expectEqual(receiver.texts("m "), [], "Messages that were published while it was down");
}

async function keepsSubscriptions(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topics = Array.from({ length: 10 }, () => scene.topic());
  await scene.subscribe(receiver, ...topics);
  await scene.stop(publisher, receiver);
  // "up" means that all subscriptions are active again, so these messages must arrive.
  await scene.start(publisher, receiver);
  for (const topic of topics) publisher.publish(topic, `m ${topic}.`);
  await scene.fence(publisher, topics, receiver);
  for (const topic of topics) {
    const text = `m ${topic}.`;
    expectEqual(receiver.texts(text), [text], "Messages of a topic after a restart");
  }
}

async function keepsUnsubscribed(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const witness = await scene.join();
  const [left, kept] = [scene.topic(), scene.topic()];
  await scene.subscribe(receiver, left, kept);
  await scene.subscribe(witness, left);
  await scene.unsubscribe(receiver, left);
  await scene.stop(publisher, receiver, witness);
  await scene.start(publisher, receiver, witness);
  publisher.publish(left, "m left");
  await scene.fence(publisher, left, witness);
  await scene.fence(publisher, kept, receiver);
  expectEqual(receiver.texts("m "), [], "Messages of a topic that was left before the restart");
}

async function subscribesAfterRestart(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  await scene.stop(publisher, receiver);
  await scene.start(publisher, receiver);
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  publisher.publish(topic, "m");
  await scene.fence(publisher, topic, receiver);
  expectEqual(receiver.texts("m"), ["m"], "Messages of a subscription that is new");
}

/** Calls a function every millisecond until the result is called. */
function repeat(callback: () => void): () => void {
  const timer = setInterval(callback, 1);
  return () => clearInterval(timer);
}

async function keepsOrderInTraffic(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  let next = 0;
  const stop = repeat(() => {
    if (publisher.broker.status !== "up") return;
    try {
      publisher.publish(topic, `m ${next++}`);
    } catch {
      // One of several servers may be away before the status is "down".
    }
  });
  scene.onEnd(stop);
  await scene.received(receiver, 5, "m ");
  await scene.stop(publisher, receiver);
  const before = receiver.texts("m ").length;
  await scene.start(publisher, receiver);
  await scene.received(receiver, before + 5, "m ");
  stop();
  await scene.fence(publisher, topic, receiver);
  let last = -1;
  for (const text of receiver.texts("m ")) {
    const number = Number(text.slice(2));
    const what = "Messages across a restart must arrive in order and at most once";
    expect(number > last, `${what}: ${number} came after ${last}`);
    last = number;
  }
}

async function closesWhileDown(scene: Scene): Promise<void> {
  const [closed, witness] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(closed, topic);
  await scene.subscribe(witness, topic);
  await scene.stop(closed, witness);
  await scene.waiting.within("close() settles while it is down", closed.broker.close());
  await scene.start(witness);
  await scene.fence(witness, topic);
  await sleep(20);
  expectEqual(closed.statuses, ["down"], "The statuses of a broker that was closed while down");
  expectEqual(closed.received.length, 0, "Messages of a broker that was closed while down");
}

// --- A server that hangs ------------------------------------------------------------------------

/** The limit of these cases, in bytes, and the size of their messages. */
const LIMIT = 1024 * 1024;
const SIZE = 10_000;
/** How many messages at most are accepted. Answers that are under way make room for more. */
const MOST = 20 * LIMIT / SIZE;

/** So many topics that each of several servers has some. */
const SPREAD = 40;

/** Publishes until the status is no longer "up". Returns the accepted texts of each topic. */
async function publishUntilSlow(publisher: Peer, topics: readonly string[]): Promise<string[][]> {
  const accepted: string[][] = topics.map(() => []);
  for (let number = 0; publisher.broker.status === "up"; number++) {
    expect(
      number < MOST,
      `publish while the server hangs: expected the status "slow" when more than ${LIMIT} bytes ` +
        `wait; ${number} messages of ${SIZE} bytes were published`,
    );
    const text = `m ${number} ${"x".repeat(SIZE)}`;
    const index = number % SPREAD;
    try {
      publisher.publish(topics[index]!, text);
      // The message that made the broker slow was dropped. The status must say so now.
      if (publisher.broker.status === "up") accepted[index]!.push(text);
    } catch {
      // One of several servers is slow.
    }
    // Answers that were sent before the pause still arrive.
    if (number % 20 === 0) await sleep(0);
  }
  return accepted;
}

async function limitsWaiting(scene: Scene): Promise<void> {
  const [publisher, receiver] = [
    await scene.join({ maxBufferedAmount: LIMIT }),
    await scene.join(),
  ];
  const topics = Array.from({ length: SPREAD }, () => scene.topic());
  await scene.subscribe(receiver, ...topics);
  await scene.fence(publisher, topics, receiver);
  await scene.pause();
  const accepted = await publishUntilSlow(publisher, topics);
  expectEqual(publisher.statuses, ["slow"], "The statuses while the server hangs");
  for (const text of numbered("dropped", 100)) publisher.publish(topics[0]!, text);
  expectEqual(publisher.statuses, ["slow"], "The statuses while messages are dropped");
  await scene.resume();
  const isUp = () => publisher.broker.status === "up";
  await scene.waiting.until('the status "up" after the server goes on', isUp);
  await scene.waiting.until("each server takes messages again", () => {
    try {
      for (const topic of topics) publisher.publish(topic, "again");
      return true;
    } catch {
      return false;
    }
  });
  await scene.fence(publisher, topics, receiver);
  expectEqual(publisher.statuses, ["slow", "up"], "The statuses after the server goes on");
  expectEqual(receiver.texts("dropped "), [], "Messages that were published while it was slow");
  const numberOf = (text: string) => Number(text.split(" ")[1]);
  // Messages of different topics arrive in any order.
  const expected = accepted.flat().map(numberOf).sort((a, b) => a - b);
  const arrived = receiver.texts("m ").map(numberOf);
  const what = "Messages that were accepted before it was slow";
  expectEqual([...arrived].sort((a, b) => a - b), expected, what);
  for (const [index, texts] of accepted.entries()) {
    const own = arrived.filter((number) => number % SPREAD === index);
    expectEqual(own, texts.map(numberOf), `${what}, in one topic`);
  }
}

/** Faults of the server. */
export const faultCases: readonly CaseSpec[] = [
  { name: "down and up are reported once each", needs: ["stop"], run: reportsStatus },
  { name: "messages are dropped while it is down", needs: ["stop"], run: dropsWhileDown },
  { name: "subscriptions survive a restart", needs: ["stop"], run: keepsSubscriptions },
  {
    name: "ended subscriptions stay ended after a restart",
    needs: ["stop", "separate topics"],
    run: keepsUnsubscribed,
  },
  { name: "new subscriptions work after a restart", needs: ["stop"], run: subscribesAfterRestart },
  {
    name: "messages across a restart arrive at most once and in order",
    needs: ["stop"],
    run: keepsOrderInTraffic,
  },
  { name: "close works while it is down", needs: ["stop"], run: closesWhileDown },
  {
    name: "while the server hangs, what waits is limited, and the rest is dropped",
    needs: ["pause"],
    run: limitsWaiting,
  },
];
