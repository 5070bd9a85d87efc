/**
 * Where errors go that no handler hears of: the console, in a form that no client can abuse.
 *
 * @module
 */

/** What moves a terminal's cursor, rings its bell or forges a line; tab and line feed stay. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/g;

/** Text with its control characters as JavaScript would write them. */
function escaped(text: string): string {
  return text.replace(CONTROL, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** An error with its stack and those of its causes, as text. */
function describe(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth === MOST_CAUSES) return own;
  return `${own}\nCaused by: ${describe(error.cause, depth + 1)}`;
}

/** An error may be its own cause. */
const MOST_CAUSES = 8;

/**
 * Writes to `console.error`. An error's message may quote what a client has sent, so that control
 * characters are escaped.
 */
export function logToConsole(message: string, error?: unknown): void {
  console.error(escaped(error === undefined ? message : `${message} ${describe(error)}`));
}
