/**
 * Cases: a broker keeps messages at positions that are the same for all processes.
 *
 * @module
 */
import type { HistoryLimits, HistoryPage, Position } from "../../pubsub/brokers/broker.ts";
import { expect, expectEqual, pattern, sameBytes, toBytes, toText } from "./expectations.ts";
import type { CaseSpec, Peer, Scene } from "./scene.ts";
import { strangeTopics } from "./topic_cases.ts";

/** Limits that no case reaches by chance. */
export const ROOMY: HistoryLimits = { size: 1000, ttl: 0, maxBytes: 16 * 1024 * 1024 };

/** How long a message is kept in the cases of `ttl`, in milliseconds. */
const TTL = 400;

/** Stores texts one after the other. Returns their positions. */
export async function append(
  scene: Scene,
  peer: Peer,
  { topic, texts, limits = ROOMY }: {
    readonly topic: string;
    readonly texts: readonly string[];
    readonly limits?: HistoryLimits;
  },
): Promise<Position[]> {
  const positions: Position[] = [];
  for (const text of texts) {
    const appended = peer.history.append(topic, toBytes(text), limits);
    positions.push(checkPosition(await scene.waiting.within("append() settles", appended)));
  }
  return positions;
}

/** Reads a page and checks its form. */
export async function read(
  scene: Scene,
  peer: Peer,
  topic: string,
  since?: Position,
): Promise<HistoryPage> {
  const page = await scene.waiting.within("read() settles", peer.history.read(topic, since));
  const { position, complete, messages } = page;
  checkPosition(position);
  expect(typeof complete === "boolean", "complete: expected a boolean");
  if (since === undefined) expectEqual(complete, false, "complete of a read without since");
  let last = complete && since !== undefined ? since.offset : undefined;
  for (const { offset, time, message } of messages) {
    const what = "Messages of a page must be without a gap";
    expect(last === undefined || offset === last + 1, `${what}: ${offset} follows ${last}`);
    expect(offset <= position.offset, `Offset ${offset} is after position ${position.offset}`);
    expect(message instanceof Uint8Array, "message: expected a Uint8Array");
    expect(
      Number.isFinite(time) && Math.abs(time - Date.now()) < 86_400_000,
      `time: expected milliseconds since 1970, got ${time}`,
    );
    last = offset;
  }
  if (complete || messages.length > 0) {
    expectEqual(last, position.offset, "The last offset of a page, which is its position");
  }
  return page;
}

function checkPosition(position: Position): Position {
  const { epoch, offset } = position;
  expect(
    typeof epoch === "string" && epoch.length >= 1 && epoch.length <= 64,
    `epoch: expected 1 to 64 characters, got ${JSON.stringify(epoch)}`,
  );
  expect(
    Number.isSafeInteger(offset) && offset >= 0,
    `offset: expected a non-negative integer, got ${JSON.stringify(offset)}`,
  );
  return { epoch, offset };
}

/** The texts of a page. */
export function textsOf({ messages }: HistoryPage): string[] {
  return messages.map(({ message }) => toText(message));
}

/** The texts `prefix 1`, `prefix 2` and so on. */
export const texts = (count: number, prefix = "m"): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix} ${index + 1}`);

async function countsOffsets(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  const empty = await read(scene, one, topic);
  expectEqual([empty.messages, empty.position.offset], [[], 0], "The history of a new topic");
  const positions = await append(scene, one, { topic, texts: texts(3) });
  const { epoch } = empty.position;
  const expected = [1, 2, 3].map((offset) => ({ epoch, offset }));
  expectEqual(positions, expected, "The positions, in the epoch that the empty topic had");
  const page = await read(scene, other, topic);
  expectEqual(page.position, expected[2], "The position that another process reads");
  expectEqual(page.messages.map(({ offset }) => offset), [1, 2, 3], "The offsets of a page");
  expectEqual(textsOf(page), texts(3), "The messages of a page");
  const times = page.messages.map(({ time }) => time);
  expectEqual([...times].sort((a, b) => a - b), times, "The times of a page");
}

async function deliversStored(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(one, topic);
  await scene.subscribe(other, topic);
  const [first, second] = await append(scene, one, { topic, texts: ["m 1", "m 2"] });
  const [third] = await append(scene, other, { topic, texts: ["m 3"] });
  for (const peer of [one, other]) {
    // Each may arrive twice. None of them may be missing as long as nothing is wrong.
    await scene.waiting.until(
      "the three stored messages arrive at each process, with topic and position",
      () => ["m 1", "m 2", "m 3"].every((text) => peer.texts().includes(text)),
    );
    for (const [index, position] of [first, second, third].entries()) {
      const message = peer.received.find(({ text }) => text === `m ${index + 1}`);
      expectEqual(message?.stored, { topic, ...position }, `stored of message ${index + 1}`);
    }
  }
}

async function ordersAll(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  const appendAll = (peer: Peer, prefix: string) =>
    Promise.all(
      texts(20, prefix).map((text) => peer.history.append(topic, toBytes(text), ROOMY)),
    );
  const all = Promise.all([appendAll(one, "a"), appendAll(other, "b")]);
  const [ofOne, ofOther] = await scene.waiting.within("40 calls of append() settle", all);
  const offsets = [...ofOne, ...ofOther].map(({ offset }) => offset);
  const expected = Array.from({ length: 40 }, (_, index) => index + 1);
  expectEqual(offsets.sort((a, b) => a - b), expected, "The offsets of two processes at once");
  const page = await read(scene, one, topic);
  expectEqual(await read(scene, other, topic), page, "The page that another process reads");
  for (const [prefix, positions] of [["a", ofOne], ["b", ofOther]] as const) {
    const kept = positions.map(({ offset }) => textsOf(page)[offset - 1]);
    expectEqual(kept, texts(20, prefix), "The messages at the positions, in the order of append");
  }
}

async function readsSince(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const positions = await append(scene, peer, { topic, texts: texts(6) });
  const { epoch } = positions[0]!;
  for (let offset = 0; offset <= 6; offset++) {
    const page = await read(scene, peer, topic, { epoch, offset });
    expectEqual(page.complete, true, `complete since offset ${offset}`);
    expectEqual(textsOf(page), texts(6).slice(offset), `The messages since offset ${offset}`);
  }
}

async function refusesPositions(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const [position] = await append(scene, peer, { topic, texts: texts(2) });
  const { epoch } = position!;
  const foreign: readonly [string, Position][] = [
    ["in the near future", { epoch, offset: 3 }],
    ["in the far future", { epoch, offset: Number.MAX_SAFE_INTEGER }],
    ["of another epoch", { epoch: "another", offset: 1 }],
    ["of an epoch with strange characters", {
      epoch: "\u0000%s'\"{}* \uffff".repeat(4),
      offset: 0,
    }],
  ];
  for (const [what, since] of foreign) {
    const page = await read(scene, peer, topic, since);
    expectEqual(page.complete, false, `complete since a position ${what}`);
    expectEqual(textsOf(page), texts(2), `The messages since a position ${what}: all kept ones`);
  }
}

async function trimsBySize(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const limits = { ...ROOMY, size: 3 };
  const positions = await append(scene, peer, { topic, texts: texts(7), limits });
  const { epoch } = positions[0]!;
  for (let offset = 0; offset <= 7; offset++) {
    const page = await read(scene, peer, topic, { epoch, offset });
    // The messages 5, 6 and 7 are kept, so every position from 4 on leads to the newest.
    expectEqual(page.complete, offset >= 4, `complete since offset ${offset} of 7, with 3 kept`);
    const expected = texts(7).slice(Math.max(offset, 4));
    expectEqual(textsOf(page), offset < 4 ? texts(7).slice(4) : expected, "The messages");
    expectEqual(page.position, { epoch, offset: 7 }, "The position after trimming");
  }
  await append(scene, peer, { topic, texts: ["m 8"], limits: { ...ROOMY, size: 1 } });
  expectEqual(textsOf(await read(scene, peer, topic)), ["m 8"], "The messages with a new size");
}

async function trimsByBytes(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const limits = { ...ROOMY, maxBytes: 350 };
  const long = texts(9).map((text) => text.padEnd(100, "-"));
  const [position] = await append(scene, peer, { topic, texts: long, limits });
  expectEqual(
    textsOf(await read(scene, peer, topic)),
    long.slice(6),
    "Three messages of 100 bytes",
  );
  const { epoch } = position!;
  const [early, late] = [
    await read(scene, peer, topic, { epoch, offset: 5 }),
    await read(scene, peer, topic, { epoch, offset: 6 }),
  ];
  expectEqual(
    [early.complete, late.complete],
    [false, true],
    "complete since offsets 5 and 6 of 9",
  );
}

async function expires(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const start = performance.now();
  const limits = { ...ROOMY, ttl: TTL };
  const [, position] = await append(scene, peer, { topic, texts: texts(2), limits });
  const page = await read(scene, peer, topic);
  // Whoever was too slow has seen nothing.
  if (performance.now() - start < TTL / 2) {
    expectEqual(textsOf(page), texts(2), "The messages before their ttl");
  }
  await scene.waiting.until(
    `messages with a ttl of ${TTL} ms are no longer read`,
    async () => (await read(scene, peer, topic)).messages.length === 0,
  );
  const waited = performance.now() - start;
  expect(waited >= TTL - 20, `Messages with a ttl of ${TTL} ms were gone after ${waited} ms`);
  const { epoch, offset } = position!;
  const [old, current] = [
    await read(scene, peer, topic, { epoch, offset: offset - 1 }),
    await read(scene, peer, topic, { epoch, offset }),
  ];
  const what = "complete since before and after the expired message";
  expectEqual([old.complete, current.complete], [false, true], what);
  expectEqual(current.position, { epoch, offset }, "The position after the ttl");
  const [next] = await append(scene, peer, { topic, texts: ["m 3"], limits });
  expectEqual(next, { epoch, offset: offset + 1 }, "The next position after the ttl");
}

async function keepsBytes(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await scene.subscribe(other, topic);
  const { largestMessage = Infinity } = scene.setup;
  const sizes = [0, 1, 8001, 300_000].filter((size) => size <= largestMessage);
  const messages = sizes.map(pattern);
  for (const message of messages) {
    await scene.waiting.within("append() settles", one.history.append(topic, message, ROOMY));
  }
  const kept = (await read(scene, other, topic)).messages.map(({ message }) => message);
  for (const [index, message] of messages.entries()) {
    const what = `message of ${message.length} bytes`;
    expect(
      sameBytes(kept[index] ?? toBytes("none"), message),
      `A ${what} was kept with other bytes`,
    );
    await scene.waiting.until(
      `a stored ${what} arrives with the same bytes`,
      () => other.received.some(({ copy }) => sameBytes(copy, message)),
    );
  }
}

async function separatesTopics(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topics = strangeTopics(scene).filter((topic) => topic.length > 1);
  for (const topic of topics) await append(scene, peer, { topic, texts: [`to ${topic}`] });
  for (const topic of topics) {
    const page = await read(scene, peer, topic);
    expectEqual(textsOf(page), [`to ${topic}`], `The history of topic ${JSON.stringify(topic)}`);
  }
}

/** History. */
export const historyCases: readonly CaseSpec[] = ([
  { name: "offsets count the messages of an epoch", run: countsOffsets },
  { name: "stored messages arrive with their positions", run: deliversStored },
  { name: "positions are the same for all processes", run: ordersAll },
  { name: "a read since a position returns what was missed", run: readsSince },
  { name: "a foreign or future position is not complete", run: refusesPositions },
  { name: "size limits the kept messages", run: trimsBySize },
  { name: "maxBytes limits the kept messages", run: trimsByBytes },
  { name: "messages are kept for their ttl", run: expires },
  { name: "kept messages have any bytes", run: keepsBytes },
  { name: "topics with any characters have separate histories", run: separatesTopics },
] as const).map(({ name, run }) => ({ name: `history: ${name}`, needs: ["history"], run }));
