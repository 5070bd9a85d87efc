/**
 * Every known difference between Waterspout and another server, with the rule of the specification.
 * A difference that no row explains is a fault: of ours, or of this table.
 *
 * @module
 */
import { join } from "../../fuzz/mutate.ts";
import type { Conversation, Outcome } from "./conversation.ts";
import { type Comparison, type Difference, type Field, FIELDS, isPrefix } from "./difference.ts";
import { readFrames, readHixieFrames } from "./frames.ts";
import { HIXIE_DIFFERENCES } from "./hixie_differences.ts";
import { HYBI_DIFFERENCES } from "./hybi_differences.ts";

/** All rows. */
export const DIFFERENCES: readonly Difference[] = [...HYBI_DIFFERENCES, ...HIXIE_DIFFERENCES];

/** Returns the parts that differ and that no row explains. */
export function unexplained(peer: string, comparison: Comparison): Field[] {
  const { conversation, ours, theirs } = comparison;
  const sent = join(conversation.frames);
  const isHybi = conversation.version === "rfc6455";
  const frames = isHybi ? readFrames(sent) : [];
  const hixieFrames = isHybi ? [] : readHixieFrames(sent);
  const facts = { ...comparison, frames, hixieFrames };
  const rows = DIFFERENCES.filter(({ peers, version = "rfc6455", explains }) =>
    peers.includes(peer) && version === conversation.version && explains(facts)
  );
  return differing(conversation, ours, theirs)
    .filter((field) => !rows.some(({ fields }) => fields.includes(field)));
}

/** The parts that differ. After a reset, only the first messages must be the same. */
export function differing({ end }: Conversation, ours: Outcome, theirs: Outcome): Field[] {
  if (end === "reset") {
    const { messages } = ours;
    const same = isPrefix(messages, theirs.messages) || isPrefix(theirs.messages, messages);
    return same ? [] : ["messages"];
  }
  return FIELDS.filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]));
}
