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
  {
    file: "src/protocol/deflater.ts",
    before: "output = new Uint8Array(Math.max(scratch.length, payload.length >> 2));",
    after: "output = new Uint8Array(Math.max(scratch.length, payload.length >> 1));",
    reason: "only the sizes of the parts differ, which are joined",
  },
  {
    file: "src/protocol/mask.ts",
    before: "let orOfBytes = orOfWords & 0x80808080 ? 0x80 : 0;",
    after: "let orOfBytes = orOfWords & 0x80808080 ? 0x80 : 1;",
    reason: "the result is compared with 0x80 only",
  },
  {
    file: "src/protocol/text_batch.ts",
    before: "const MAX_PAYLOAD_SIZE = 125;",
    after: "const MAX_PAYLOAD_SIZE = 124;",
    reason: "a text of 125 bytes is received alone, which is only slower",
  },
  {
    file: "src/protocol/text_codec.ts",
    before: "output.reserve(estimateSize(message) + part * 2 + 1);",
    after: ";",
    reason: "each part reserves its room again: this only saves copies",
  },
  {
    file: "src/protocol/receive_state.ts",
    before: "if (this.#view === null && end < chunk.length && chunk.length >= VIEWED_FROM) {",
    after: "if (this.#view === null && end >= chunk.length && chunk.length >= VIEWED_FROM) {",
    reason: "the view only saves making others",
  },
];
