import { assert, assertEquals } from "@std/assert";
import { after, before, describe, test } from "node:test";
import { dice } from "../fuzz/mutate.ts";
import { frame, text } from "../protocol/hybi_frames.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { checkEach } from "../support/rows.ts";
import { compareRandom } from "./differential/compare.ts";
import { type Conversation, converse, type Outcome } from "./differential/conversation.ts";
import type { Difference } from "./differential/difference.ts";
import { DIFFERENCES, differing, unexplained } from "./differential/differences.ts";
import {
  HEAD_DIFFERENCES,
  type HeadDifference,
  isExplained,
} from "./differential/head_differences.ts";
import { ask, PATIENT, VALID } from "./differential/heads.ts";
import { startSubjects, type Subjects } from "./differential/subjects.ts";

/** The number of seeds. `deno task fuzz 60 1` starts with these too, and goes on. */
const SEEDS = 6;

let subjects: Subjects;

/** Each row with each of its servers. */
function withPeers<Row extends { readonly peers: readonly string[] }>(
  rows: readonly Row[],
): { row: Row; peer: string }[] {
  return rows.flatMap((row) => row.peers.map((peer) => ({ row, peer })));
}

function named(peer: string) {
  const found = subjects.others.find(({ name }) => name === peer);
  assert(found !== undefined, peer);
  return found;
}

/** Checks that a row's example shows the difference that the row explains, and no other. */
async function checkExample(
  { version = "rfc6455", example = [], fields }: Difference,
  peer: string,
): Promise<void> {
  const conversation: Conversation = {
    version,
    deflate: false,
    frames: example,
    split: 0,
    end: "fin",
  };
  const ours = await converse(subjects.reference, conversation);
  const theirs = await converse(named(peer), conversation);
  const differs = differing(conversation, ours, theirs);
  assert(fields.some((field) => differs.includes(field)), JSON.stringify({ ours, theirs }));
  assertEquals(unexplained(peer, { conversation, ours, theirs }), []);
}

async function checkHeadExample(row: HeadDifference, peer: string): Promise<void> {
  const lines = row.example(VALID.rfc6455);
  const bytes = latin1Bytes([...lines, "", ""].join("\r\n"));
  const opening = { version: "rfc6455", bytes } as const;
  const ours = await ask(subjects.reference, opening, PATIENT);
  const theirs = await ask(named(peer), opening, PATIENT);
  assertEquals(ours === "refused" ? "refuses" : "accepts", row.ours);
  assert(ours !== theirs, `both ${ours}`);
  assert(isExplained(peer, opening, { ours, theirs }));
}

describe("Waterspout on each runtime, ws, websocket-driver, Bun.serve and Deno.serve", () => {
  before(async () => {
    subjects = await startSubjects();
  });
  after(() => subjects?.[Symbol.asyncDispose]());

  test("differ in the examples as the table says", () =>
    checkEach(
      withPeers(DIFFERENCES.filter(({ example }) => example !== undefined)),
      ({ row, peer }) => `${peer}: ${row.section}, ${row.rule}`,
      ({ row, peer }) => checkExample(row, peer),
    ));

  test("may differ by two rows at once", () => {
    const frames = [
      frame({ opcode: 9, payload: "9" }),
      text("a"),
      frame({ opcode: 2, payload: "", lengthSize: 8 }),
    ];
    const conversation: Conversation = {
      version: "rfc6455",
      deflate: true,
      frames,
      split: 0,
      end: "fin",
    };
    const ended = { told: "close 1006", end: "fin" } as const;
    const ours: Outcome = { messages: ["text 1 61"], pongs: ["39"], sent: 1002, ...ended };
    const theirs: Outcome = {
      messages: ["text 1 61", "binary 0 "],
      pongs: [],
      sent: "none",
      ...ended,
    };
    // It accepts the length that is longer than needed, and sends nothing after the FIN.
    assertEquals(unexplained("ws", { conversation, ours, theirs }), []);
    // Without the first of the two reasons, the messages may not differ.
    const valid = { ...conversation, frames: frames.slice(0, 2) };
    assertEquals(unexplained("ws", { conversation: valid, ours, theirs }), ["messages"]);
  });

  test("differ in the opening handshakes as the table says", () =>
    checkEach(
      withPeers(HEAD_DIFFERENCES),
      ({ row, peer }) => `${peer}: ${row.section}, ${row.rule}`,
      ({ row, peer }) => checkHeadExample(row, peer),
    ));

  test(`differ in nothing else, seeds 1 to ${SEEDS}`, () =>
    checkEach(
      Array.from({ length: SEEDS }, (_, index) => index + 1),
      (seed) => `seed ${seed}`,
      (seed) => compareRandom(subjects, dice(seed)),
    ));
});
