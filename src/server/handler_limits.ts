/**
 * The limits that a handler can override for its own connections.
 *
 * @module
 */
import { checkAtMost, checkValue, type Kind, LIMIT, TIME } from "../validation.ts";
import type { Settings } from "./settings.ts";

/**
 * The settings that a handler class can override with getters (Tornado's `max_message_size`,
 * `ping_interval` and `ping_timeout`).
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type HandlerLimits, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Upload extends WebSocketHandler implements HandlerLimits {
 *   override get maxMessageSize(): number {
 *     return 64 * 1024 * 1024;
 *   }
 *   onMessage(): void {}
 * }
 * assert(Upload.name === "Upload");
 * ```
 */
export type HandlerLimits = Pick<
  Settings,
  | "maxMessageSize"
  | "maxFragments"
  | "maxQueuedSize"
  | "highWaterMark"
  | "maxBufferedAmount"
  | "pingInterval"
  | "pingTimeout"
  | "idleTimeout"
  | "closeTimeout"
>;

const KINDS: Readonly<Record<keyof HandlerLimits, Kind>> = {
  maxMessageSize: LIMIT,
  maxFragments: LIMIT,
  maxQueuedSize: LIMIT,
  highWaterMark: LIMIT,
  maxBufferedAmount: LIMIT,
  pingInterval: TIME,
  pingTimeout: TIME,
  idleTimeout: TIME,
  closeTimeout: TIME,
};

/**
 * Reads the limits of a handler.
 *
 * @returns The settings themselves if the handler overrides none.
 * @throws {TypeError | RangeError} If a limit is not a number or is out of range.
 */
export function limitsOf(handler: HandlerLimits, settings: HandlerLimits): HandlerLimits {
  // Read by name: a loop over the names takes ten times as long.
  const limits: HandlerLimits = {
    maxMessageSize: handler.maxMessageSize,
    maxFragments: handler.maxFragments,
    maxQueuedSize: handler.maxQueuedSize,
    highWaterMark: handler.highWaterMark,
    maxBufferedAmount: handler.maxBufferedAmount,
    pingInterval: handler.pingInterval,
    pingTimeout: handler.pingTimeout,
    idleTimeout: handler.idleTimeout,
    closeTimeout: handler.closeTimeout,
  };
  if (areEqual(limits, settings)) return settings;
  const subject = `Cannot use ${handler.constructor.name}`;
  for (const [name, value] of Object.entries(limits)) {
    checkValue(value, `${subject}.${name}:`, KINDS[name as keyof HandlerLimits]);
  }
  checkAtMost(limits, "highWaterMark", "maxBufferedAmount", `${subject}.`);
  return limits;
}

function areEqual(a: HandlerLimits, b: HandlerLimits): boolean {
  return a.maxMessageSize === b.maxMessageSize && a.maxFragments === b.maxFragments &&
    a.maxQueuedSize === b.maxQueuedSize && a.highWaterMark === b.highWaterMark &&
    a.maxBufferedAmount === b.maxBufferedAmount && a.pingInterval === b.pingInterval &&
    a.pingTimeout === b.pingTimeout && a.idleTimeout === b.idleTimeout &&
    a.closeTimeout === b.closeTimeout;
}
