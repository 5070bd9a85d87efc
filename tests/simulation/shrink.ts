/**
 * Shortens a failing plan while it still fails in the same way.
 *
 * @module
 */
import type { Outcome, Plan, Step } from "./plan.ts";
import { runPlan } from "./world.ts";

/** The text of a failure without its numbers and names. */
export function kindOf(failure: string): string {
  return failure.replace(/\d+/g, "0").replace(/[xy]{2,}/g, "x").slice(0, 100);
}

/** Removes steps, first many and then one by one, until none can be removed. */
export async function shrink(plan: Plan, outcome: Outcome): Promise<[Plan, Outcome]> {
  const kind = kindOf(outcome.failure ?? "");
  let [shortest, last] = [plan, outcome];
  const tryWith = async (steps: readonly Step[]): Promise<boolean> => {
    const shorter = { ...plan, steps };
    const result = await runPlan(shorter);
    if (result.failure === undefined || kindOf(result.failure) !== kind) return false;
    [shortest, last] = [shorter, result];
    return true;
  };
  for (let size = Math.ceil(plan.steps.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    let at = 0;
    while (at < shortest.steps.length) {
      const { steps } = shortest;
      const isShorter = await tryWith([...steps.slice(0, at), ...steps.slice(at + size)]);
      if (!isShorter) at += size;
    }
  }
  return [shortest, last];
}
