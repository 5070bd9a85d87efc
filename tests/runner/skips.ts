/**
 * Which suites cannot run here, and why.
 *
 * @module
 */
import { installCommand, type NeedName } from "./needs.ts";
import { isIn, suiteOf } from "./suites.ts";

/** A suite that is skipped. */
export interface Skip {
  /** Its path in the table of suites. */
  readonly suite: string;
  readonly reason: string;
  /** What would install what lacks, if anything does. */
  readonly command: string | undefined;
  /** Whether the command line lets it be skipped. */
  readonly allowed: boolean;
}

/** The suites of some files that lack what they need. */
export function findSkips(
  files: readonly string[],
  missing: ReadonlyMap<NeedName, string>,
  maySkip: readonly string[] | "all",
): Skip[] {
  return [...new Set(files.map(suiteOf))].flatMap(({ path, needs = [] }) => {
    const lacking = needs.filter((name) => missing.has(name));
    if (lacking.length === 0) return [];
    const commands = lacking.map(installCommand).filter((command) => command !== undefined);
    return [{
      suite: path,
      reason: lacking.map((name) => missing.get(name)).join(", "),
      command: commands.length === 0 ? undefined : commands.join(" && "),
      allowed: maySkip === "all" || maySkip.some((allowed) => isIn(allowed, path)),
    }];
  });
}
