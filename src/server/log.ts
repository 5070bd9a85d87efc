/**
 * Logs errors that no handler receives: escaped, so that no client can abuse a terminal, and
 * limited in number.
 *
 * @module
 */
import type { Clock } from "../timing/clock.ts";

/** Control characters that could move a cursor or forge a line. Tab and line feed are allowed. */
// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]/g;

/** Replaces control characters by JavaScript escapes. */
function escaped(text: string): string {
  return text.replace(CONTROL, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Returns an error with its stack and its causes as text. Never throws. */
function describe(error: unknown, depth = 0): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const own = error.stack ?? `${error.name}: ${error.message}`;
    if (error.cause === undefined || depth === MOST_CAUSES) return own;
    return `${own}\nCaused by: ${describe(error.cause, depth + 1)}`;
  } catch {
    // `toString` or a getter threw, or it is a revoked Proxy.
    return "(a value that cannot be shown)";
  }
}

/** An error may be its own cause. */
const MOST_CAUSES = 8;

/**
 * Writes to `console.error`. Escapes control characters, since an error may quote data of a client.
 */
export function logToConsole(message: string, error?: unknown): void {
  console.error(escaped(error === undefined ? message : `${message} ${describe(error)}`));
}

/** Logs an error of the setting `log` itself. Never throws. */
export function logLastResort(message: string, error: unknown): void {
  try {
    logToConsole(message, error);
  } catch {
    // `console.error` was replaced, and throws. There is no other place to write to.
  }
}

/** The time between two lines of the same kind, in milliseconds. */
export const LOG_INTERVAL = 10_000;

/**
 * The kinds of lines that clients can cause. The list is fixed, since each kind keeps memory: a client
 * must not be able to make new ones.
 */
export type LimitedKind =
  /** A connection could not be accepted. */
  | "accept"
  /** A connection has no PROXY header of a trusted proxy. */
  | "proxy"
  /** A TLS handshake failed. */
  | "tls"
  /** An origin is not allowed. */
  | "origin"
  /** A handshake of draft75 or draft76 ended without a response. */
  | "handshake";

/** The state of one kind. */
interface KindState {
  /** When the next line may be written, by the clock. */
  nextAt: number;
  /** How many lines were suppressed since the last one. */
  suppressed: number;
}

/**
 * Logs what clients can cause. The first line of a kind is written at once, then at most one per
 * {@linkcode LOG_INTERVAL}, with the number of suppressed lines. There is no timer to stop at a
 * shutdown, so the last lines may stay suppressed; counters have the exact numbers.
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

  /** @param log Writes a line; must not throw. @param clock The source of time. */
  constructor(log: (message: string, error?: unknown) => void, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Writes a line, or counts it as suppressed.
   *
   * @param kind The kind. Different kinds do not suppress each other.
   * @param message The line. Quote data of a client with `JSON.stringify`.
   * @param error The error, if there is one.
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
