/**
 * Cases: a broker knows who is present, and tells each change once.
 *
 * @module
 */
import type { PresenceChange, PresenceEntry } from "../../pubsub/brokers/broker.ts";
import { expect, expectEqual } from "./expectations.ts";
import type { CaseSpec, Peer, Scene } from "./scene.ts";
import { sleep } from "./waiting.ts";

/** A `ttl` that no case reaches, in milliseconds. */
const LONG = 60_000;

/** The `ttl` of entries that expire, in milliseconds. */
const SHORT = 400;

const NOBODY: readonly PresenceEntry[] = [];

/** An entry with a short information. */
function entryOf(id: string, info = `{"name":${JSON.stringify(id)}}`): PresenceEntry {
  return { id, info };
}

async function enter(
  scene: Scene,
  peer: Peer,
  { topic, entries, ttl = LONG }: {
    readonly topic: string;
    readonly entries: readonly PresenceEntry[];
    readonly ttl?: number;
  },
): Promise<PresenceChange> {
  const entered = peer.presence.enter(topic, entries, ttl);
  return sorted(await scene.waiting.within("enter() settles", entered));
}

async function leave(
  scene: Scene,
  peer: Peer,
  topic: string,
  ...ids: readonly string[]
): Promise<PresenceChange> {
  return sorted(await scene.waiting.within("leave() settles", peer.presence.leave(topic, ids)));
}

async function list(scene: Scene, peer: Peer, topic: string): Promise<PresenceEntry[]> {
  return byId(await scene.waiting.within("list() settles", peer.presence.list(topic)));
}

/** Entries in a fixed order, without other fields. */
function byId(entries: readonly PresenceEntry[]): PresenceEntry[] {
  return entries.map(({ id, info }) => ({ id, info })).sort((a, b) => a.id < b.id ? -1 : 1);
}

function sorted({ joined, left }: PresenceChange): PresenceChange {
  return { joined: byId(joined), left: byId(left) };
}

async function listsAll(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const [topic, empty] = [scene.topic(), scene.topic()];
  const [ann, bob, eve] = [entryOf("ann"), entryOf("bob"), entryOf("eve")];
  expectEqual(await list(scene, one, topic), NOBODY, "The list of a new topic");
  const first = await enter(scene, one, { topic, entries: [ann, bob] });
  expectEqual(first, { joined: [ann, bob], left: [] }, "The change of a first enter");
  const second = await enter(scene, other, { topic, entries: [eve] });
  expectEqual(second, { joined: [eve], left: [] }, "The change of an enter elsewhere");
  for (const peer of [one, other]) {
    expectEqual(await list(scene, peer, topic), [ann, bob, eve], "The list at each process");
  }
  expectEqual(await list(scene, one, empty), NOBODY, "The list of another topic");
  const gone = await leave(scene, one, topic, "ann", "nobody", "eve");
  expectEqual(gone, { joined: [], left: [ann] }, "The change of leave, of own and foreign ids");
  expectEqual(await list(scene, other, topic), [bob, eve], "The list after leave");
}

async function renews(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  await enter(scene, one, { topic, entries: [entryOf("ann", "1")] });
  const again = await enter(scene, one, { topic, entries: [entryOf("ann", "2")] });
  expectEqual(again, { joined: [], left: [] }, "The change of a renewal");
  expectEqual(
    await list(scene, other, topic),
    [entryOf("ann", "2")],
    "The list, with the new info",
  );
}

async function countsHolders(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  const entries = [entryOf("ann")];
  expectEqual((await enter(scene, one, { topic, entries })).joined, entries, "joined at first");
  expectEqual((await enter(scene, other, { topic, entries })).joined, NOBODY, "joined again");
  expectEqual(await list(scene, one, topic), entries, "The list, with one entry for the id");
  expectEqual((await leave(scene, one, topic, "ann")).left, NOBODY, "left while another holds it");
  expectEqual(await list(scene, one, topic), entries, "The list while another holds it");
  expectEqual((await leave(scene, one, topic, "ann")).left, NOBODY, "left by a process without it");
  expectEqual((await leave(scene, other, topic, "ann")).left, entries, "left at last");
  expectEqual((await leave(scene, other, topic, "ann")).left, NOBODY, "left a second time");
  expectEqual(await list(scene, one, topic), NOBODY, "The list at last");
  expectEqual((await enter(scene, one, { topic, entries })).joined, entries, "joined once more");
}

async function tellsOnce(scene: Scene): Promise<void> {
  const peers = [await scene.join(), await scene.join(), await scene.join()];
  const topic = scene.topic();
  const entries = Array.from({ length: 20 }, (_, index) => entryOf(`id ${10 + index}`));
  const entered = await Promise.all(peers.map((peer) => enter(scene, peer, { topic, entries })));
  const joined = byId(entered.flatMap((change) => change.joined));
  expectEqual(joined, entries, "joined of three processes at once, together");
  const ids = entries.map(({ id }) => id);
  // Each leaves twice, all at the same time.
  const gone = await Promise.all(
    [...peers, ...peers].map((peer) => leave(scene, peer, topic, ...ids)),
  );
  const left = byId(gone.flatMap((change) => change.left));
  expectEqual(left, entries, "left of three processes at once, together");
}

async function expires(scene: Scene): Promise<void> {
  const [dead, one, other] = [await scene.join(), await scene.join(), await scene.join()];
  const topic = scene.topic();
  const [ann, bob, eve] = [entryOf("ann"), entryOf("bob"), entryOf("eve")];
  await enter(scene, one, { topic, entries: [bob] });
  await enter(scene, other, { topic, entries: [eve] });
  const start = performance.now();
  // `bob` is held by another process too, and so does not leave.
  await enter(scene, dead, { topic, entries: [ann, bob], ttl: SHORT });
  const before = await list(scene, one, topic);
  // Whoever was too slow has seen nothing.
  if (performance.now() - start < SHORT / 2) {
    expectEqual(before, [ann, bob, eve], "The list before the ttl");
  }
  await scene.waiting.until(
    `an entry with a ttl of ${SHORT} ms is no longer listed`,
    async () => (await list(scene, one, topic)).length === 2,
  );
  const waited = performance.now() - start;
  expect(waited >= SHORT - 20, `An entry with a ttl of ${SHORT} ms was gone after ${waited} ms`);
  expectEqual(await list(scene, other, topic), [bob, eve], "The list after the ttl");
  const left: PresenceEntry[] = [];
  await scene.waiting.until("a renewal tells that the expired entry has left", async () => {
    const changes = await Promise.all([
      enter(scene, one, { topic, entries: [bob] }),
      enter(scene, other, { topic, entries: [eve] }),
    ]);
    left.push(...changes.flatMap((change) => change.left));
    return left.length > 0;
  });
  left.push(...(await enter(scene, one, { topic, entries: [bob] })).left);
  left.push(...(await leave(scene, dead, topic, "ann")).left);
  expectEqual(left, [ann], "left of all renewals, together");
}

async function staysRenewed(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  const entries = [entryOf("ann")];
  await enter(scene, one, { topic, entries, ttl: SHORT });
  const start = performance.now();
  let renewed = start;
  while (performance.now() - start < 2 * SHORT) {
    await sleep(SHORT / 8);
    const { joined } = await enter(scene, one, { topic, entries, ttl: SHORT });
    const present = await list(scene, other, topic);
    // If this process was too slow, the entry may have expired.
    if (performance.now() - renewed < SHORT / 2) {
      expectEqual(joined, NOBODY, "joined of a renewal in time");
      expectEqual(present, entries, "The list while the entry is renewed in time");
    }
    renewed = performance.now();
  }
}

async function takesAnyText(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  const ids = ["__proto__", " ", "a b", "*", "%", "'\"`;--", "\u0000", "\r\n", "日本", "\u{1f44b}"];
  const long = ["x".repeat(256), "\uffff".repeat(256)];
  const infos = ["null", '""', '{"__proto__":1}', JSON.stringify("\u0000 \uffff 日本"), "1e400"];
  const entries = [...ids, ...long].map((id, index) => entryOf(id, infos[index % infos.length]));
  entries.push(entryOf("large", JSON.stringify("x".repeat(4094))));
  await enter(scene, one, { topic, entries });
  expectEqual(await list(scene, other, topic), byId(entries), "The list, with any characters");
  const { left } = await leave(scene, one, topic, ...entries.map(({ id }) => id));
  expectEqual(left, byId(entries), "left, with any characters");
}

async function takesMany(scene: Scene): Promise<void> {
  const [one, other] = [await scene.join(), await scene.join()];
  const topic = scene.topic();
  const entries = Array.from({ length: 1000 }, (_, index) => entryOf(`id ${1000 + index}`, "{}"));
  const { joined } = await enter(scene, one, { topic, entries });
  expectEqual(joined, entries, "joined of a thousand entries");
  expectEqual(await list(scene, other, topic), entries, "The list of a thousand entries");
}

async function hangs(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const entries = [entryOf("ann")];
  await scene.pause();
  const { presence } = peer;
  const outcomes = Promise.allSettled([
    presence.enter(topic, entries, LONG),
    presence.leave(topic, ["ann"]),
    presence.list(topic),
  ]);
  const settled = await scene.waiting.within("the calls to a server that hangs settle", outcomes);
  const kinds = settled.map(({ status }) => status);
  expectEqual(
    kinds,
    Array(3).fill("rejected"),
    "enter(), leave() and list() of a server that hangs",
  );
  await scene.resume();
}

async function survivesRestart(scene: Scene): Promise<void> {
  const peer = await scene.join();
  const topic = scene.topic();
  const entries = [entryOf("ann")];
  await enter(scene, peer, { topic, entries });
  await scene.stop(peer);
  const outcomes = Promise.allSettled([peer.presence.enter(topic, entries, LONG)]);
  const [down] = await scene.waiting.within("enter() while the server is down settles", outcomes);
  expectEqual(down?.status, "rejected", "enter() while the server is down");
  await scene.start(peer);
  // Entries may be lost. The next renewal brings them back.
  await enter(scene, peer, { topic, entries });
  expectEqual(await list(scene, peer, topic), entries, "The list after a restart and a renewal");
}

/** Presence. */
export const presenceCases: readonly CaseSpec[] = ([
  { name: "enter, leave and list work across processes", run: listsAll },
  { name: "a renewal is no change, and replaces the info", run: renews },
  { name: "an id that two processes hold is present until both have left", run: countsHolders },
  { name: "each change is told once", run: tellsOnce },
  { name: "entries that are not renewed expire, and that is told once", run: expires },
  { name: "entries that are renewed stay", run: staysRenewed },
  { name: "ids and infos have any characters", run: takesAnyText },
  { name: "a thousand entries enter at once", run: takesMany },
  { name: "entries return after a restart", needs: ["stop"], run: survivesRestart },
  { name: "calls to a server that hangs reject", needs: ["pause"], run: hangs },
] as const).map(({ name, run, ...more }) => ({
  name: `presence: ${name}`,
  needs: ["presence", ..."needs" in more ? more.needs : []],
  run,
}));
