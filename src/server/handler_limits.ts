/**
 * The limits that a handler can override for its own connections.
 *
 * @module
 */
import {
  BOOLEAN,
  checkAtMost,
  checkValue,
  CONNECTION_RATE,
  type Kind,
  LIMIT,
  TIME,
} from "../validation.ts";
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
  | "maxFragmentSize"
  | "maxQueuedSize"
  | "borrowMessages"
  | "highWaterMark"
  | "maxBufferedAmount"
  | "pingInterval"
  | "pingTimeout"
  | "idleTimeout"
  | "closeTimeout"
  | "messageRate"
  | "byteRate"
>;

const KINDS: Readonly<Record<keyof HandlerLimits, Kind>> = {
  maxMessageSize: LIMIT,
  maxFragments: LIMIT,
  maxFragmentSize: LIMIT,
  maxQueuedSize: LIMIT,
  borrowMessages: BOOLEAN,
  highWaterMark: LIMIT,
  maxBufferedAmount: LIMIT,
  pingInterval: TIME,
  pingTimeout: TIME,
  idleTimeout: TIME,
  closeTimeout: TIME,
  messageRate: CONNECTION_RATE,
  byteRate: CONNECTION_RATE,
};

/**
 * Reads the limits of a handler.
 *
 * @returns The settings themselves if the handler overrides none.
 * @throws {TypeError | RangeError} If a limit has the wrong type or is out of range.
 */
export function limitsOf(handler: HandlerLimits, settings: HandlerLimits): HandlerLimits {
  const { maxMessageSize, maxFragments, maxFragmentSize, maxQueuedSize } = handler;
  const { highWaterMark, maxBufferedAmount, borrowMessages } = handler;
  const { pingInterval, pingTimeout, idleTimeout, closeTimeout, messageRate, byteRate } = handler;
  // Compare one by one, without making an object: nearly all handlers use the settings.
  const areSettings = maxMessageSize === settings.maxMessageSize &&
    maxFragments === settings.maxFragments && maxFragmentSize === settings.maxFragmentSize &&
    maxQueuedSize === settings.maxQueuedSize && borrowMessages === settings.borrowMessages &&
    highWaterMark === settings.highWaterMark && maxBufferedAmount === settings.maxBufferedAmount &&
    pingInterval === settings.pingInterval && pingTimeout === settings.pingTimeout &&
    idleTimeout === settings.idleTimeout && closeTimeout === settings.closeTimeout &&
    messageRate === settings.messageRate && byteRate === settings.byteRate;
  if (areSettings) return settings;
  const limits: HandlerLimits = {
    maxMessageSize,
    maxFragments,
    maxFragmentSize,
    maxQueuedSize,
    borrowMessages,
    highWaterMark,
    maxBufferedAmount,
    pingInterval,
    pingTimeout,
    idleTimeout,
    closeTimeout,
    messageRate,
    byteRate,
  };
  const subject = `Cannot use ${handler.constructor.name}`;
  for (const [name, value] of Object.entries(limits)) {
    // Without a rate, there is no limit.
    if (value === undefined && name.endsWith("Rate")) continue;
    checkValue(value, `${subject}.${name}:`, KINDS[name as keyof HandlerLimits]);
  }
  checkAtMost(limits, "highWaterMark", "maxBufferedAmount", `${subject}.`);
  return limits;
}
