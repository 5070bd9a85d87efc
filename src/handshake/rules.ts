/**
 * The MUSTs of a specification as rows, so that a check reads like the list in its text.
 *
 * @module
 */

/** One rule, about what a parser found. */
export interface Rule<Facts> {
  /** Where it stands, as a reader looks it up: `RFC 6455 §4.2.1`. */
  readonly section: string;
  /** The rule in words, which is also the reason that the peer is told. */
  readonly because: string;
  /** Whether the facts break it. */
  readonly broken: (facts: Facts) => boolean;
}

/** The first rule that is broken, in words and with its section; `undefined` if all hold. */
export function brokenRule<Facts>(
  rules: readonly Rule<Facts>[],
  facts: Facts,
): string | undefined {
  for (const rule of rules) {
    if (rule.broken(facts)) return `${rule.because} (${rule.section})`;
  }
  return undefined;
}

/** What the checks of an opening handshake read: a `RequestHead`, or the like of it. */
export interface HandshakeRequest {
  /** The method, in the case that was sent. */
  readonly method: string;
  /** `"1.0"` or `"1.1"`. */
  readonly httpVersion: string;
  /** The value of a field by its name in lower case; `null` or `undefined` if it was not sent. */
  get(name: string): string | null | undefined;
}
