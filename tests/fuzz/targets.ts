/**
 * What is fuzzed, by name.
 *
 * @module
 */
import { fuzzConnection } from "./connections.ts";
import type { Dice } from "./mutate.ts";
import { fuzzHixie, fuzzHybi, fuzzRoundTrip } from "./protocols.ts";
import { fuzzAgreement } from "./ws_agreement.ts";

/** Each throws where the oracle is not content. */
export const TARGETS: Readonly<Record<string, (next: Dice) => void | Promise<void>>> = {
  "hybi": fuzzHybi,
  "hixie": fuzzHixie,
  "round trip": fuzzRoundTrip,
  "agreement": fuzzAgreement,
  "connection": fuzzConnection,
};

/** Seeds that once failed, and what was wrong. */
export const REGRESSIONS: readonly {
  readonly target: string;
  readonly seed: number;
  readonly was: string;
}[] = [];
