/**
 * Where errors go that no handler hears of: the console, in a form that no client can abuse, and no
 * more often than somebody can read.
 *
 * @module
 */
import type { Clock } from "../timing/clock.ts";

/** What moves a terminal's cursor, rings its bell or forges a line; tab and line feed stay. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/g;

/** Text with its control characters as JavaScript would write them. */
function escaped(text: string): string {
  return text.replace(CONTROL, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** An error with its stack and those of its causes, as text; never throws. */
function describe(error: unknown, depth = 0): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const own = error.stack ?? `${error.name}: ${error.message}`;
    if (error.cause === undefined || depth === MOST_CAUSES) return own;
    return `${own}\nCaused by: ${describe(error.cause, depth + 1)}`;
  } catch {
    // Its `toString` or a getter throws, or it is a revoked Proxy.
    return "(a value that cannot be shown)";
  }
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

/** Writes to the console what goes wrong in the setting `log` itself; never throws. */
export function logLastResort(message: string, error: unknown): void {
  try {
    logToConsole(message, error);
  } catch {
    // `console.error` was replaced and throws: nobody is left who could be told.
  }
}

/** How long a kind of line stays silent after one was written, in milliseconds. */
export const LOG_INTERVAL = 10_000;

/**
 * What a client can cause as often as it likes. The kinds are listed here, so that none is made of
 * what a client has sent: each takes memory for as long as the application lives.
 */
export type LimitedKind =
  /** A connection that could not be accepted. */
  | "accept"
  /** A TLS handshake that failed. */
  | "tls"
  /** A handshake whose origin is not allowed. */
  | "origin"
  /** A handshake of draft75 or draft76 that is ended without an answer. */
  | "handshake";

/** The lines of one kind. */
interface KindState {
  /** When the next line may be written, in the clock's milliseconds. */
  nextAt: number;
  /** How many lines were left out since the last one. */
  suppressed: number;
}

/**
 * Writes what clients can cause at will: the first line of a kind at once, then no more than one per
 * {@linkcode LOG_INTERVAL}, which tells how many were left out before it. It sets no timer, so that
 * nothing is left behind at a shutdown; a counter in the stats should tell the exact number.
 *
 * @example
 * ```ts ignore
 * context.limitedLog.write("origin", `Refused a handshake for ${path}: …`);
 * // Refused a handshake for /ws: …
 * // 10 s and 41 suppressed lines later:
 * // Refused a handshake for /ws: … (41 similar lines suppressed)
 * ```
 */
export class LimitedLog {
  readonly #log: (message: string, error?: unknown) => void;
  readonly #clock: Clock;
  readonly #kinds: Map<LimitedKind, KindState> = new Map();

  /** @param log Where lines go; it must not throw. @param clock The source of time. */
  constructor(log: (message: string, error?: unknown) => void, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Writes a line, or counts it as suppressed.
   *
   * @param kind Lines of different kinds do not suppress each other.
   * @param message The line; text that a client has sent belongs into quotes (`JSON.stringify`).
   * @param error Its cause, if there is one.
   */
  write(kind: LimitedKind, message: string, error?: unknown): void {
    const now = this.#clock.now();
    const state = this.#kinds.get(kind);
    if (state !== undefined && now < state.nextAt) {
      state.suppressed++;
      return;
    }
    this.#kinds.set(kind, { nextAt: now + LOG_INTERVAL, suppressed: 0 });
    const suppressed = state?.suppressed ?? 0;
    const lines = suppressed === 1 ? "1 similar line" : `${suppressed} similar lines`;
    this.#log(suppressed === 0 ? message : `${message} (${lines} suppressed)`, error);
  }
}
