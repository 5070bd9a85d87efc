/**
 * Cases: positions stay right when the server is killed, hangs or loses its data.
 *
 * @module
 */
import type { Position } from "../../pubsub/brokers/broker.ts";
import { expect, expectEqual, expectRejection, toBytes, toText } from "./expectations.ts";
import { append, read, ROOMY, texts, textsOf } from "./history_cases.ts";
import type { CaseSpec, Peer, Scene } from "./scene.ts";
import { sleep } from "./waiting.ts";

/** Checks that positions which were told before are right now, or are no longer accepted. */
async function checkOldPositions(
  scene: Scene,
  peer: Peer,
  { topic, positions }: { readonly topic: string; readonly positions: readonly Position[] },
): Promise<void> {
  const all = texts(positions.length);
  const next = await append(scene, peer, { topic, texts: ["new 1", "new 2"] });
  const newest = next.at(-1)!;
  for (const old of positions) {
    const isSame = newest.epoch === old.epoch && next[0]!.offset <= old.offset;
    expect(!isSame, `Offset ${next[0]!.offset} of one epoch was used for two messages`);
    const page = await read(scene, peer, topic, old);
    if (!page.complete) continue;
    // Complete: then everything that was said to be stored after this position is there.
    const missed = [...all.slice(positions.indexOf(old) + 1), "new 1", "new 2"];
    // A message whose append() was rejected may be stored.
    const known = textsOf(page).filter((text) => text !== "down");
    expectEqual(known, missed, "The messages of a complete page after a fault");
  }
}

async function survivesRestart(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const positions = await append(scene, peer, { topic, texts: texts(5) });
  await scene.stop(peer);
  const [appended, pages] = [
    peer.history.append(topic, toBytes("down"), ROOMY),
    peer.history.read(topic),
  ];
  const both = Promise.all([
    expectRejection(appended, "append() while the server is down"),
    expectRejection(pages, "read() while the server is down"),
  ]);
  await scene.waiting.within("append() and read() reject while the server is down", both);
  await scene.start(peer);
  await checkOldPositions(scene, peer, { topic, positions });
}

async function tellsLoss(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const positions = await append(scene, peer, { topic, texts: texts(3) });
  await scene.waiting.within("loseData()", scene.setup.loseData?.());
  const lost = await read(scene, peer, topic, positions[1]);
  expectEqual(lost.complete, false, "complete after all data were lost");
  const next = await append(scene, peer, { topic, texts: texts(3, "new") });
  expect(
    next[0]!.epoch !== positions[0]!.epoch,
    "The epoch after all data were lost: expected another one, got the same",
  );
  const page = await read(scene, peer, topic, positions[1]);
  expectEqual(page.complete, false, "complete since a position from before the loss");
  expectEqual(textsOf(page), texts(3, "new"), "The messages since a position from before the loss");
}

async function hangs(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  await append(scene, peer, { topic, texts: texts(1) });
  await scene.pause();
  const outcomes = Promise.allSettled([
    peer.history.append(topic, toBytes("m 2"), ROOMY),
    peer.history.read(topic),
  ]);
  const settled = await scene.waiting.within(
    "append() and read() of a server that hangs",
    outcomes,
  );
  const kinds = settled.map(({ status }) => status);
  expectEqual(kinds, ["rejected", "rejected"], "append() and read() of a server that hangs");
  await scene.resume();
  await scene.waiting.until("append() works after the server goes on", async () => {
    const appended = peer.history.append(topic, toBytes("m 3"), ROOMY);
    return await appended.then(() => true, () => sleep(10).then(() => false));
  });
}

async function survivesTraffic(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const stored = new Map<string, string>();
  let [running, twice] = [true, ""];
  const appending = (async () => {
    for (let number = 1; running; number++) {
      await sleep(1);
      const { epoch, offset } = await peer.history.append(topic, toBytes(`m ${number}`), ROOMY)
        .catch(() => ({ epoch: "", offset: 0 }));
      if (epoch === "") continue;
      const key = `${epoch} ${offset}`;
      if (stored.has(key)) twice = `Position ${key} was returned for two messages`;
      stored.set(key, `m ${number}`);
    }
  })();
  scene.onEnd(() => running = false);
  const reach = (size: number) =>
    scene.waiting.until(`${size} messages are stored`, () => stored.size >= size || twice !== "");
  await reach(10);
  await scene.stop(peer);
  await scene.start(peer);
  await reach(stored.size + 10);
  running = false;
  await scene.waiting.within("the last append() settles", appending);
  expect(twice === "", twice);
  const { position, messages } = await read(scene, peer, topic);
  for (const { offset, message } of messages) {
    const text = stored.get(`${position.epoch} ${offset}`);
    if (text !== undefined) expectEqual(toText(message), text, `The message at offset ${offset}`);
  }
}

/** History and faults of the server. */
export const historyFaultCases: readonly CaseSpec[] = ([
  { name: "positions survive a restart or are refused", needs: ["stop"], run: survivesRestart },
  { name: "no position is used twice across a restart", needs: ["stop"], run: survivesTraffic },
  { name: "lost data are told by another epoch", needs: ["loseData"], run: tellsLoss },
  { name: "append and read of a server that hangs reject", needs: ["pause"], run: hangs },
] as const).map(({ name, needs, run }) => ({
  name: `history: ${name}`,
  needs: ["history", ...needs],
  run,
}));
