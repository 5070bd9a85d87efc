/**
 * What an answer must say, as rows: so that an error tells what was expected and what came.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { type ResponseHead, show } from "./response_head.ts";

/** One MUST about an answer. */
export interface AnswerRule<Facts> {
  /** Where it stands. */
  readonly section: string;
  /** What it is about, and what that must be. */
  readonly must: (facts: Facts) => string;
  /** What came; `undefined` if it was not sent. */
  readonly came: (facts: Facts) => string | undefined;
  /** Whether what came breaks the rule. */
  readonly broken: (facts: Facts) => boolean;
}

/** Checks all rules in their order. @throws {ProtocolError} 1002, with the first that is broken. */
export function checkAnswer<Facts>(rules: readonly AnswerRule<Facts>[], facts: Facts): void {
  const rule = rules.find((rule) => rule.broken(facts));
  if (rule === undefined) return;
  const came = rule.came(facts);
  const contrast = came === undefined ? "and was not sent" : `not ${show(came)}`;
  throw new ProtocolError(1002, `${rule.must(facts)}, ${contrast} (${rule.section})`);
}

/** What a handshake was answered with, and what it is compared with. */
export interface AnswerFacts {
  readonly head: ResponseHead;
}

/** What of a head a rule is about: the values of a field, several joined. */
export function field(name: string): (facts: AnswerFacts) => string | undefined {
  return ({ head }) => head.get(name);
}
