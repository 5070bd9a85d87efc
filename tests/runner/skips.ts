/**
 * Finds the suites that cannot run on this machine, and why.
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
  /** The command that installs what is missing, if there is one. */
  readonly command: string | undefined;
  /** Whether the command line allows skipping it. */
  readonly allowed: boolean;
}

/** The suites whose needs are missing. */
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
