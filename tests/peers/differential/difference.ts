/**
 * What a row of the table of differences is.
 *
 * @module
 */
import type { Conversation, Outcome } from "./conversation.ts";
import type { Frame, HixieFrame } from "./frames.ts";

/** The parts of an outcome that are compared. */
export const FIELDS = ["messages", "pongs", "sent", "told", "end"] as const;

/** The name of a part. */
export type Field = typeof FIELDS[number];

/** A conversation with two servers. */
export interface Comparison {
  readonly conversation: Conversation;
  readonly ours: Outcome;
  readonly theirs: Outcome;
}

/** The facts that a row depends on. */
export interface Facts extends Comparison {
  /** The frames of RFC 6455 in the bytes. */
  readonly frames: readonly Frame[];
  /** The frames of draft75 or draft76 in the bytes. */
  readonly hixieFrames: readonly HixieFrame[];
}

/** One row. */
export interface Difference {
  readonly peers: readonly string[];
  /** The section of the rule. */
  readonly section: string;
  readonly rule: string;
  readonly ours: string;
  readonly theirs: string;
  /** The parts that differ. */
  readonly fields: readonly Field[];
  /** The shortest bytes after the handshake that show it, unless it depends on timing. */
  readonly example?: readonly Uint8Array[];
  /** The version. Default: `rfc6455`. */
  readonly version?: Conversation["version"];
  /** Whether the row explains the differences of a conversation. */
  readonly explains: (facts: Facts) => boolean;
}

/** Whether a list begins with all items of another. */
export function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.every((item, index) => item === long[index]);
}

/** Whether a list has all items of another, in the same order. */
export function isSubsequence(short: readonly string[], long: readonly string[]): boolean {
  let at = 0;
  for (const item of long) if (item === short[at]) at++;
  return at === short.length;
}
