/**
 * Cases: messages arrive once, in order and unchanged.
 *
 * @module
 */
import { expect, expectEqual, pattern, sameBytes, toBytes } from "./expectations.ts";
import type { CaseSpec, Scene } from "./scene.ts";
import { sleep } from "./waiting.ts";

/** The texts `prefix 0`, `prefix 1` and so on. Every tenth is long. */
export function numbered(prefix: string, count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return `${prefix} ${number}${number % 10 === 9 ? " ".repeat(5000) : ""}`;
  });
}

async function startsUp(scene: Scene): Promise<void> {
  const broker = await scene.connect();
  expect(
    typeof broker.name === "string" && broker.name !== "",
    "name: expected a text that is not empty",
  );
  expectEqual(broker.status, "up", "status");
  expectEqual(broker.events, undefined, "events of a new broker");
  expectEqual(broker.history !== undefined, scene.setup.history ?? false, "history exists");
  expectEqual(broker.presence !== undefined, scene.setup.presence ?? false, "presence exists");
}

async function arrivesOnce(scene: Scene): Promise<void> {
  const [publisher, one, other] = [await scene.join(), await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(one, topic);
  await scene.subscribe(other, topic);
  publisher.publish(topic, "m first", "m second");
  await scene.fence(publisher, topic, one, other);
  for (const peer of [one, other]) {
    expectEqual(peer.texts("m "), ["m first", "m second"], "The messages of a subscriber");
  }
}

async function keepsOrder(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  const texts = numbered("m", 300);
  publisher.publish(topic, ...texts.slice(0, 200));
  for (const text of texts.slice(200)) {
    publisher.publish(topic, text);
    await Promise.resolve();
  }
  await scene.fence(publisher, topic, receiver);
  expectEqual(receiver.texts("m "), texts, "The messages of one publisher");
}

async function keepsOrderOfEach(scene: Scene): Promise<void> {
  const receiver = await scene.join();
  const publishers = [await scene.join(), await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  for (let number = 0; number < 50; number++) {
    for (const [index, peer] of publishers.entries()) peer.publish(topic, `p${index} ${number}`);
    if (number % 10 === 0) await sleep(1);
  }
  for (const [index, peer] of publishers.entries()) {
    await scene.fence(peer, topic, receiver);
    const expected = Array.from({ length: 50 }, (_, number) => `p${index} ${number}`);
    expectEqual(receiver.texts(`p${index} `), expected, `The messages of publisher ${index + 1}`);
  }
}

/** The sizes of messages in bytes, by the limits of frames, chunks and columns. */
const SIZES = [0, 1, 2, 255, 4096, 7999, 8000, 8001, 65_535, 65_536, 70_000, 1024 * 1024];

async function keepsBytes(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const { largestMessage = 1024 * 1024 } = scene.setup;
  for (const size of SIZES.filter((size) => size <= largestMessage)) {
    // The size of a message must not matter to others, so each has its own topic.
    const topic = scene.topic();
    await scene.subscribe(receiver, topic);
    const message = pattern(size);
    // A broker must send this part, and not the whole buffer.
    const buffer = new Uint8Array(size + 20).fill(0x55);
    buffer.set(message, 7);
    const before = receiver.received.length;
    publisher.broker.publish(topic, buffer.subarray(7, 7 + size));
    const what = () => `a message of ${size} bytes; failures: ${publisher.failures}`;
    await scene.waiting.until(what, () => receiver.received.length > before);
    const { copy } = receiver.received.at(before)!;
    expectEqual(copy.length, size, `The size of a message of ${size} bytes`);
    expect(sameBytes(copy, message), `A message of ${size} bytes has arrived with other bytes`);
  }
}

async function refusesTooLarge(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  const { largestMessage = Infinity } = scene.setup;
  const size = Math.min(largestMessage, 2 * 1024 * 1024) + 1;
  let error: unknown;
  try {
    publisher.broker.publish(topic, new Uint8Array(size));
  } catch (thrown) {
    error = thrown;
  }
  publisher.publish(topic, "m next");
  const isRefused = () => error !== undefined || publisher.failures.length > 0;
  await scene.waiting.until(
    `a message of ${size} bytes arrives, or publish throws, or failed() is called`,
    () => isRefused() || receiver.received.some(({ copy }) => copy.length === size),
  );
  const reason = error ?? publisher.failures[0];
  expect(
    reason === undefined || reason instanceof Error && reason.message !== "",
    `publish of ${size} bytes: expected an Error with a message`,
  );
  await scene.fence(publisher, topic, receiver);
  expectEqual(receiver.texts("m "), ["m next"], "The message after one that is too large");
}

async function leavesBytesAlone(scene: Scene): Promise<void> {
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  const messages = numbered("m", 20).map(toBytes);
  const copies = messages.map((bytes) => new Uint8Array(bytes));
  for (const message of messages) publisher.broker.publish(topic, message);
  await scene.fence(publisher, topic, receiver);
  for (const [index, message] of messages.entries()) {
    expect(
      sameBytes(message, copies[index]!),
      `publish has changed or detached the bytes of message ${index + 1}`,
    );
  }
  // The scene checks that the received bytes did not change.
  expectEqual(receiver.texts("m ").length, 20, "The number of messages");
}

async function needsNoReceiver(scene: Scene): Promise<void> {
  const [publisher, broker] = [await scene.join(), await scene.connect()];
  const topic = scene.topic();
  await scene.waiting.within("subscribe() settles", broker.subscribe(topic));
  const witness = await scene.join();
  await scene.subscribe(witness, topic);
  publisher.publish(topic, "m early");
  publisher.publish(scene.topic(), "m to nobody");
  await scene.fence(publisher, topic, witness);
  const late: string[] = [];
  broker.events = {
    message: () => late.push("message"),
    status() {},
    failed() {},
  };
  publisher.publish(topic, "m late");
  await scene.waiting.until("a message after events was set", () => late.length > 0);
}

async function closesTwice(scene: Scene): Promise<void> {
  const [publisher, closed, other] = [await scene.join(), await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(closed, topic);
  await scene.subscribe(other, topic);
  await scene.fence(publisher, topic, closed, other);
  const both = Promise.all([closed.broker.close(), closed.broker.close()]);
  await scene.waiting.within("two calls of close() settle", both);
  await scene.waiting.within("a third close() settles", closed.broker.close());
  const [before, statuses] = [closed.received.length, closed.statuses.length];
  publisher.publish(topic, "m after");
  await scene.fence(publisher, topic, other);
  expectEqual(other.texts("m "), ["m after"], "The messages of another broker");
  expectEqual(closed.received.length, before, "The number of messages after close");
  expectEqual(closed.statuses.length, statuses, "The number of status events after close");
}

async function startsAnew(scene: Scene): Promise<void> {
  const closed = await scene.join();
  await scene.waiting.within("close() settles", closed.broker.close());
  const [publisher, receiver] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(receiver, topic);
  publisher.publish(topic, "m");
  await scene.fence(publisher, topic, receiver);
  expectEqual(receiver.texts("m"), ["m"], "The messages of a new broker");
}

/** Messages. */
export const messageCases: readonly CaseSpec[] = [
  { name: "a new broker is up, has a name, and has what the setup says", run: startsUp },
  { name: "a message arrives once at each process that subscribes", run: arrivesOnce },
  { name: "messages of one publisher arrive in order", run: keepsOrder },
  { name: "messages of several publishers arrive in the order of each", run: keepsOrderOfEach },
  { name: "a message has any bytes and any size", run: keepsBytes },
  {
    name: "a message that is too large is an error, and the next one arrives",
    run: refusesTooLarge,
  },
  { name: "the bytes of a message do not change, here or there", run: leavesBytesAlone },
  { name: "without events, messages are dropped", run: needsNoReceiver },
  {
    name: "close can be called again, ends all events, and harms no other broker",
    run: closesTwice,
  },
  { name: "a new broker works as soon as another one is closed", run: startsAnew },
];
