/**
 * The options of `reconnecting`.
 *
 * @module
 */
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { HeaderFields } from "../errors.ts";
import { ProxyError } from "../handshake/proxy_error.ts";
import type { Transport } from "../transport/transport.ts";
import { checkOptions, FUNCTION, type Kind, LIMIT, TIME, withDefaults } from "../validation.ts";
import { HandshakeError } from "./handshake_error.ts";
import { CONNECT_KINDS, type ConnectOptions, resolveOptions } from "./options.ts";

/**
 * Why and how long a client waits before it connects again. The argument of `onRetry`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { reconnecting, type Retry } from "@waterspout/websocket/client";
 *
 * const retries: Retry[] = [];
 * const sockets = reconnecting("ws://127.0.0.1:1/", {
 *   initialDelay: 1,
 *   maxAttempts: 3,
 *   onRetry: (retry) => retries.push(retry),
 * });
 * await sockets.next().catch((error) => assertEquals(error.name, "HandshakeError"));
 * assertEquals(retries.map(({ attempt }) => attempt), [1, 2]);
 * ```
 */
export interface Retry {
  /** How many attempts in a row have failed; 0 after a lost connection. */
  readonly attempt: number;
  /** How long the client waits, in milliseconds. */
  readonly delay: number;
  /** Why the last attempt failed; `undefined` after a lost connection. */
  readonly error?: unknown;
  /** How the last connection ended; `undefined` after a failed attempt. */
  readonly ended?: ConnectionEnd;
}

/**
 * The options of `reconnecting`, in addition to those of `websocketConnect`. Times are milliseconds.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { ReconnectOptions } from "@waterspout/websocket/client";
 *
 * const options: ReconnectOptions = {
 *   headers: () => ({ Authorization: `Bearer ${Date.now()}` }), // a fresh one for each attempt
 *   finalCodes: [1000, 4001],
 *   maxDelay: 60_000,
 * };
 * assertEquals(options.finalCodes?.length, 2);
 * ```
 */
export interface ReconnectOptions extends Omit<ConnectOptions, "headers" | "http2" | "transport"> {
  /**
   * Header fields to send, or a function that returns them for each attempt. The attempt fails if the
   * function throws or rejects.
   */
  readonly headers?: HeaderFields | (() => HeaderFields | Promise<HeaderFields>);
  /** Returns a connection to use for each attempt, instead of a new one. */
  readonly transport?: () => Transport | Promise<Transport>;
  /** Ends the loop. Cancels a wait or an attempt, and closes an open connection with 1000. */
  readonly signal?: AbortSignal;
  /** The upper bound of the first wait. The bound doubles with each failure. Default: 1 s. */
  readonly initialDelay?: number;
  /** The longest wait, except for `Retry-After`, which may be longer. Default: 30 s. */
  readonly maxDelay?: number;
  /** After a connection was open this long, waits start from `initialDelay` again. Default: 10 s. */
  readonly stableAfter?: number;
  /** How many attempts in a row may fail before the last error is thrown. Default: `Infinity`. */
  readonly maxAttempts?: number;
  /** The close codes, of either end, that end the loop. Default: `[1000]`. */
  readonly finalCodes?: readonly number[];
  /**
   * Returns whether to throw the error of a failed attempt instead of trying again. Default: true if
   * the server refuses with a 4xx status other than 408, 425 and 429, or a proxy refuses the credentials.
   */
  readonly isFinal?: (error: unknown) => boolean;
  /** Called before each wait. */
  readonly onRetry?: (retry: Retry) => void;
  /** Returns a number from 0 to below 1, for tests. Default: `Math.random`. */
  readonly random?: () => number;
}

/** The options that decide when to connect again. */
export type RetryPolicy = Required<
  Pick<
    ReconnectOptions,
    | "finalCodes"
    | "initialDelay"
    | "isFinal"
    | "maxAttempts"
    | "maxDelay"
    | "onRetry"
    | "random"
    | "stableAfter"
  >
>;

const DEFAULTS: RetryPolicy = {
  finalCodes: [1000],
  initialDelay: 1_000,
  isFinal: isFinalByDefault,
  maxAttempts: Infinity,
  maxDelay: 30_000,
  onRetry: () => {},
  random: Math.random,
  stableAfter: 10_000,
};

const CODES: Kind = {
  expected: "an array of close codes from 1000 to 4999",
  hasType: (value) => Array.isArray(value) && value.every((code) => typeof code === "number"),
  inRange: (value) =>
    (value as number[]).every((code) => Number.isInteger(code) && code >= 1000 && code <= 4999),
};

const HEADERS: Kind = { expected: "an object or a function", hasType: isObjectOrFunction };

function isObjectOrFunction(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}

/** What each option must be. */
const { http2: _, ...KINDS_OF_ATTEMPTS } = CONNECT_KINDS;
const KINDS: Readonly<Record<keyof ReconnectOptions, Kind | undefined>> = {
  ...KINDS_OF_ATTEMPTS,
  headers: HEADERS,
  transport: FUNCTION,
  finalCodes: CODES,
  initialDelay: TIME,
  isFinal: FUNCTION,
  maxAttempts: LIMIT,
  maxDelay: TIME,
  onRetry: FUNCTION,
  random: FUNCTION,
  stableAfter: TIME,
};

/** Statuses of temporary refusals (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4). */
const TEMPORARY: ReadonlySet<number> = new Set([408, 425, 429]);

function isFinalByDefault(error: unknown): boolean {
  if (!(error instanceof HandshakeError)) return false;
  const { status, cause } = error;
  if (status === undefined) return cause instanceof ProxyError && cause.refusesCredentials;
  return status >= 400 && status <= 499 && !TEMPORARY.has(status);
}

/**
 * Checks the options.
 *
 * @returns The policy, and the options of each attempt without `headers` and `transport`.
 * @throws {TypeError} If a name is unknown, or a value has a wrong type.
 * @throws {RangeError} If a number is out of range.
 */
export function resolveReconnectOptions(
  options: ReconnectOptions,
): { readonly policy: RetryPolicy; readonly attempt: ConnectOptions } {
  checkOptions(options, {
    kinds: KINDS,
    noun: "option",
    subject: (name) => `Cannot use ${name}:`,
  });
  const own = new Set([...Object.keys(DEFAULTS), "headers", "transport"]);
  const attempt: ConnectOptions = Object.fromEntries(
    Object.entries(options).filter(([name]) => !own.has(name)),
  );
  resolveOptions(attempt);
  return { policy: withDefaults(DEFAULTS, options), attempt };
}
