/**
 * Mutants that no test can find, since they behave as the source does.
 *
 * @module
 */
import type { Mutant } from "./mutants.ts";

/** A mutant, and why it is equivalent. */
export interface Equivalent extends Pick<Mutant, "file" | "before" | "after"> {
  readonly reason: string;
}

/** All that are known; a test checks that the sources still have them. */
export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "src/handshake/challenge.ts",
    before: "digits++;",
    after: "digits--;",
    reason: "the number of digits is compared with 0 only",
  },
  {
    file: "src/handshake/host.ts",
    before: "if (HAS_A_LABEL.test(text) && !isNormalized(text)) return false;",
    after: "if (HAS_A_LABEL.test(text) && !isNormalized(text)) return true;",
    reason: "only Node takes such names for hosts of a URL, and there the tests find it",
  },
  {
    file: "src/connection/connection.ts",
    before: '#peer: PeerState = "sending";',
    after: '#peer: PeerState = "";',
    reason: "it is compared with the two other states only",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;",
    after: "bytes += unit < 0x80 ? 0 : unit < 0x800 ? 2 : 3;",
    reason: "an estimate: the buffer grows where it is too small",
  },
];
