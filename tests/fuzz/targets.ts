/**
 * The targets of fuzzing by name.
 *
 * @module
 */
import { fuzzConnection } from "./connections.ts";
import { fuzzRequests, fuzzResponses } from "./handshakes.ts";
import type { Dice } from "./mutate.ts";
import { fuzzHixie, fuzzHybi, fuzzRoundTrip } from "./protocols.ts";
import { fuzzTunnel } from "./tunnels.ts";
import { fuzzAgreement } from "./ws_agreement.ts";

/** Throws if it finds a fault. */
export type Target = (next: Dice) => void | Promise<void>;

/** All targets that need no server. */
export const TARGETS: Readonly<Record<string, Target>> = {
  "hybi": fuzzHybi,
  "hixie": fuzzHixie,
  "round trip": fuzzRoundTrip,
  "agreement": fuzzAgreement,
  "connection": fuzzConnection,
  "tunnel": fuzzTunnel,
  "requests": fuzzRequests,
  "responses": fuzzResponses,
};

/** Seeds that have failed, and the fault that they found. */
export const REGRESSIONS: readonly {
  readonly target: string;
  readonly seed: number;
  readonly was: string;
}[] = [];
