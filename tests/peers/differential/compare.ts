/**
 * Compares our server with the others for one conversation, and shortens a conversation that shows a
 * difference without an explanation.
 *
 * @module
 */
import { type Dice, join } from "../../fuzz/mutate.ts";
import { latin1Text } from "../../support/bytes.ts";
import { type Conversation, converse, type Outcome, type Subject } from "./conversation.ts";
import type { Field } from "./difference.ts";
import { unexplained } from "./differences.ts";
import { describeFrame, describeHixieFrame, hexOf, readFrames, readHixieFrames } from "./frames.ts";
import { isExplained } from "./head_differences.ts";
import { ask, type Opening, PATIENT, randomOpening } from "./heads.ts";
import type { Subjects } from "./subjects.ts";
import { hixieConversation, hybiConversation } from "./traffic.ts";

/** A difference that no row explains. */
interface Finding {
  readonly peer: Subject;
  readonly conversation: Conversation;
  readonly fields: readonly Field[];
  readonly ours: Outcome;
  readonly theirs: Outcome;
}

/** Whether a server can have a conversation. */
function canTalk(peer: Subject, { version, deflate }: Conversation): boolean {
  return peer.versions.includes(version) && (peer.compresses || !deflate);
}

/**
 * Has a conversation with ours and another server. Returns the difference without an explanation.
 *
 * @param known Our outcome, if it is known already.
 */
async function compareOne(
  reference: Subject,
  peer: Subject,
  conversation: Conversation,
  known = converse(reference, conversation),
): Promise<Finding | undefined> {
  const [ours, theirs] = await Promise.all([known, converse(peer, conversation)]);
  const fields = unexplained(peer.name, { conversation, ours, theirs });
  return fields.length === 0 ? undefined : { peer, conversation, fields, ours, theirs };
}

/** How often a difference must be seen. */
const REPEATS = 4;

/**
 * Whether a difference counts. What the other server does may depend on a busy machine: the bytes may
 * arrive in other chunks, or FIN while it inflates. What ours does may not, unless the client resets.
 */
async function counts(reference: Subject, finding: Finding): Promise<boolean> {
  const { peer, conversation, ours } = finding;
  for (let times = 1; times < REPEATS; times++) {
    if (await compareOne(reference, peer, conversation) !== undefined) continue;
    return conversation.end === "fin" &&
      said(await converse(reference, conversation)) !== said(ours);
  }
  return true;
}

/** What a server has told its application and the client. */
function said({ messages, pongs, sent, told }: Outcome): string {
  return JSON.stringify({ messages, pongs, sent, told });
}

/** Simpler conversations: without one frame, not split, with FIN, and with a frame cut in half. */
function* simpler(conversation: Conversation): Generator<Conversation> {
  const { frames } = conversation;
  if (conversation.split !== 0) yield { ...conversation, split: 0 };
  if (conversation.end === "reset") yield { ...conversation, end: "fin" };
  for (const index of frames.keys()) yield { ...conversation, frames: frames.toSpliced(index, 1) };
  for (const [index, frame] of frames.entries()) {
    const half = frame.length >> 1;
    for (const shorter of [frame.slice(0, half), frame.slice(half), frame.slice(0, -1)]) {
      if (frame.length > 1) yield { ...conversation, frames: frames.with(index, shorter) };
    }
  }
}

/** The most attempts to shorten a conversation. */
const ATTEMPTS = 300;

/** Shortens a conversation as long as it shows the same kind of difference. */
async function shorten(reference: Subject, finding: Finding): Promise<Finding> {
  let shortest = finding;
  let attempts = 0;
  for (let found = true; found;) {
    found = false;
    for (const candidate of simpler(shortest.conversation)) {
      if (++attempts > ATTEMPTS) return shortest;
      const next = await compareOne(reference, finding.peer, candidate);
      if (next === undefined || !finding.fields.some((field) => next.fields.includes(field))) {
        continue;
      }
      shortest = next;
      found = true;
      break;
    }
  }
  return shortest;
}

function describe({ peer, conversation, fields, ours, theirs }: Finding): string {
  const { version, deflate, split, end, frames } = conversation;
  const bytes = join(frames);
  return [
    `Waterspout and ${peer.name} differ in ${fields.join(", ")}, and no row explains it:`,
    `  ${version}${deflate ? ", compressed" : ""}, then ${end}, split by seed ${split}`,
    `  bytes: ${hexOf(bytes)}`,
    ...(version === "rfc6455"
      ? readFrames(bytes).map(describeFrame)
      : readHixieFrames(bytes).map(describeHixieFrame)).map((line) => `    ${line}`),
    `  ours:   ${JSON.stringify(ours)}`,
    `  theirs: ${JSON.stringify(theirs)}`,
  ].join("\n");
}

/**
 * Has a conversation with our server and each other that can have it.
 *
 * @throws {Error} If there is a difference that no row explains. It has the shortest bytes that were found.
 */
export async function compare(subjects: Subjects, conversation: Conversation): Promise<void> {
  const { reference, others } = subjects;
  const able = others.filter((each) => canTalk(each, conversation));
  const known = converse(reference, conversation);
  await Promise.all(able.map(async (peer) => {
    const finding = await compareOne(reference, peer, conversation, known);
    if (finding === undefined || !await counts(reference, finding)) return;
    throw new Error(describe(await shorten(reference, finding)));
  }));
}

/** Shorter openings: without one line. */
function* shorterOpenings({ version, bytes }: Opening): Generator<Opening> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at) + 1 || bytes.length;
    yield { version, bytes: join([bytes.subarray(0, at), bytes.subarray(end)]) };
    at = end;
  }
}

/** Asks two servers. Returns their answers if they differ, and no row explains it. */
async function askBoth(
  reference: Subject,
  peer: Subject,
  opening: Opening,
  known = ask(reference, opening),
): Promise<{ opening: Opening; ours: string; theirs: string } | undefined> {
  const [ours, theirs] = await Promise.all([known, ask(peer, opening)]);
  return isExplained(peer.name, opening, { ours, theirs }) ? undefined : { opening, ours, theirs };
}

async function compareOpeningWith(
  reference: Subject,
  peer: Subject,
  opening: Opening,
  known: Promise<string>,
): Promise<void> {
  let found = await askBoth(reference, peer, opening, known);
  if (found === undefined) return;
  // On a busy machine, the FIN may have come before an answer.
  const [ours, theirs] = await Promise.all([
    ask(reference, opening, PATIENT),
    ask(peer, opening, PATIENT),
  ]);
  if (isExplained(peer.name, opening, { ours, theirs })) return;
  found = { opening, ours, theirs };
  for (let next: typeof found | undefined = found; next !== undefined;) {
    found = next;
    next = undefined;
    for (const shorter of shorterOpenings(found.opening)) {
      next ??= await askBoth(reference, peer, shorter);
    }
  }
  const { version, bytes } = found.opening;
  throw new Error(
    `Waterspout and ${peer.name} do not treat a ${version} handshake alike, and no row explains it: ` +
      `ours ${found.ours}, theirs ${found.theirs}\n  ${JSON.stringify(latin1Text(bytes))}\n` +
      `  bytes: ${hexOf(bytes)}`,
  );
}

/**
 * Asks our server and each other of the version whether it accepts an opening handshake.
 *
 * @throws {Error} If there is a difference that no row explains. It has the shortest bytes that were found.
 */
export async function compareOpening(subjects: Subjects, opening: Opening): Promise<void> {
  const { reference, others } = subjects;
  const able = others.filter(({ versions }) => versions.includes(opening.version));
  const known = ask(reference, opening);
  await Promise.all(able.map((peer) => compareOpeningWith(reference, peer, opening, known)));
}

/** How many conversations and openings one seed has. They run at the same time. */
const AT_ONCE = 6;

/** Compares random conversations and openings. @throws {Error} With the first finding. */
export async function compareRandom(subjects: Subjects, next: Dice): Promise<void> {
  const work: Promise<void>[] = [];
  for (let count = 0; count < AT_ONCE; count++) {
    const kind = next(8);
    if (kind < 2) {
      const version = (["rfc6455", "rfc6455", "draft76", "draft75"] as const)[next(4)] ?? "rfc6455";
      work.push(compareOpening(subjects, randomOpening(next, version)));
    } else if (kind < 4) {
      const version = next(2) === 0 ? "draft75" : "draft76";
      work.push(compare(subjects, hixieConversation(next, version)));
    } else work.push(compare(subjects, hybiConversation(next, kind < 6)));
  }
  for (const { reason } of (await Promise.allSettled(work)).filter(isRejected)) throw reason;
}

function isRejected(result: PromiseSettledResult<void>): result is PromiseRejectedResult {
  return result.status === "rejected";
}
