/**
 * The rules for positions.
 *
 * @module
 */
import { show } from "../validation.ts";
import type { Position } from "./brokers/broker.ts";

/** The longest epoch, in UTF-16 code units. */
const MAX_EPOCH_LENGTH = 64;

/** The number of random bytes of an epoch of ours. */
const EPOCH_BYTES = 9;

/** Makes the epoch of a new log. */
export function makeEpoch(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(EPOCH_BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

/** Whether a value is a position. */
export function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, offset } = value as { readonly epoch?: unknown; readonly offset?: unknown };
  return isEpoch(epoch) && isOffset(offset);
}

function isEpoch(epoch: unknown): boolean {
  return typeof epoch === "string" && epoch !== "" && epoch.length <= MAX_EPOCH_LENGTH;
}

function isOffset(offset: unknown): boolean {
  return Number.isSafeInteger(offset) && Number(offset) >= 0;
}

/**
 * Checks a position that may come from a client.
 *
 * @param since The position.
 * @param attempt The beginning of the error: `Cannot subscribe to "news"`.
 * @throws {TypeError} If it is not an object with an epoch and an offset.
 */
export function checkSince(since: unknown, attempt: string): asserts since is Position {
  if (isPosition(since)) return;
  if (typeof since !== "object" || since === null) {
    throw new TypeError(`${attempt}: since must be { epoch, offset }, got ${show(since)}`);
  }
  const { epoch, offset } = since as { readonly epoch?: unknown; readonly offset?: unknown };
  throw new TypeError(
    isEpoch(epoch)
      ? `${attempt}: since.offset must be a non-negative integer, got ${show(offset)}`
      : `${attempt}: since.epoch must be a string of 1 to ${MAX_EPOCH_LENGTH} characters, ` +
        `got ${show(epoch)}`,
  );
}
