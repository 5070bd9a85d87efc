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
export const EQUIVALENT: readonly Equivalent[] = [];
