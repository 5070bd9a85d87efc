/**
 * The targets of fuzzing by name.
 *
 * @module
 */
import { comparePattern } from "../server/random_patterns.ts";
import { fuzzConnection } from "./connections.ts";
import { fuzzExtensions, fuzzProxyHeaders, fuzzRequests, fuzzResponses } from "./handshakes.ts";
import type { Dice } from "./mutate.ts";
import { fuzzBrokenText, fuzzEvents, fuzzHixie, fuzzHybi, fuzzRoundTrip } from "./protocols.ts";
import { fuzzTunnel } from "./tunnels.ts";
import { fuzzAgreement } from "./ws_agreement.ts";

/** Throws if it finds a fault. */
export type Target = (next: Dice) => void | Promise<void>;

/** How many path patterns a seed makes. */
const PATTERNS = 20;

/** Random path patterns match like `URLPattern`. */
function fuzzPathPatterns(next: Dice): void {
  for (let i = 0; i < PATTERNS; i++) comparePattern(next);
}

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
  "extensions": fuzzExtensions,
  "PROXY headers": fuzzProxyHeaders,
  "events": fuzzEvents,
  "broken text": fuzzBrokenText,
  "path patterns": fuzzPathPatterns,
};

/** Seeds that have failed, and the fault that they found. */
export const REGRESSIONS: readonly {
  readonly target: string;
  readonly seed: number;
  readonly was: string;
}[] = [];
