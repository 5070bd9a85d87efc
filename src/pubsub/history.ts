/**
 * The kept messages of a topic, as an application reads them.
 *
 * @module
 */
import { show } from "../validation.ts";
import type { Position } from "./brokers/broker.ts";
import { checkSince } from "./position.ts";
import type { TopicLog } from "./topic_log.ts";

/**
 * Which kept messages to read.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type HistoryOptions } from "@waterspout/websocket";
 *
 * const app = new Application([], { history: { news: {} } });
 * for (const text of ["one", "two", "three"]) app.publish("news", text);
 * const newest: HistoryOptions = { limit: 2 };
 * const { messages } = await app.history("news", newest);
 * assertEquals(messages.map(({ message }) => message), ["two", "three"]);
 * ```
 */
export interface HistoryOptions {
  /** Only messages after this position. It may come from a client. Default: all. */
  readonly since?: Position | undefined;
  /** The most messages: the oldest after `since`, or the newest without it. Default: all. */
  readonly limit?: number | undefined;
}

/**
 * A kept message.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type HistoryMessage } from "@waterspout/websocket";
 *
 * const app = new Application([], { history: { news: {} } });
 * app.publish("news", "Hello");
 * const [first]: readonly HistoryMessage[] = (await app.history("news")).messages;
 * assertEquals([first?.message, first?.position.offset], ["Hello", 1]);
 * ```
 */
export interface HistoryMessage {
  /** The message as it was published: a string, or bytes, which must not be changed. */
  readonly message: string | Uint8Array;
  /** Its position. */
  readonly position: Position;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
}

/**
 * Kept messages of a topic.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type History } from "@waterspout/websocket";
 *
 * const app = new Application([], { history: { news: {} } });
 * const since = await app.publish("news", "one").position;
 * app.publish("news", "two");
 * const later: History = await app.history("news", { since });
 * assertEquals(later.messages.map(({ message }) => message), ["two"]);
 * assertEquals(later.complete, true);
 * ```
 */
export interface History {
  /** The position of the newest message of the topic, kept or not. */
  readonly position: Position;
  /**
   * Whether no message is missing between `since` and the last one in `messages`. `false` if the
   * position is too old or unknown, and without `since`.
   */
  readonly complete: boolean;
  /** The messages, the oldest first. All kept ones (up to `limit`) if it is not `complete`. */
  readonly messages: readonly HistoryMessage[];
}

/**
 * Checks the options of `Application.history`.
 *
 * @throws {TypeError} If an option has the wrong type.
 * @throws {RangeError} If the limit is not a positive integer.
 */
export function checkHistoryOptions(topic: string, { since, limit }: HistoryOptions): void {
  const attempt = `Cannot read the history of ${JSON.stringify(topic)}`;
  if (since !== undefined) checkSince(since, attempt);
  if (limit === undefined) return;
  const because = `${attempt}: limit must be a positive integer, got ${show(limit)}`;
  if (typeof limit !== "number") throw new TypeError(because);
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(because);
}

/** Applies a limit: the oldest messages after a position, else the newest. */
export function limited<Item>(
  messages: readonly Item[],
  { limit }: HistoryOptions,
  complete: boolean,
): readonly Item[] {
  if (limit === undefined || messages.length <= limit) return messages;
  return complete ? messages.slice(0, limit) : messages.slice(-limit);
}

/** Reads a log. */
export function readLog(log: TopicLog, options: HistoryOptions): History {
  const { since } = options;
  const after = since === undefined ? undefined : log.sequenceOf(since);
  const complete = after !== undefined;
  const messages: HistoryMessage[] = [];
  for (let sequence = (after ?? log.first - 1) + 1; sequence <= log.last; sequence++) {
    const entry = log.get(sequence);
    if (entry?.payload === undefined) continue;
    const { payload, time } = entry;
    messages.push({ message: payload, position: log.positionOf(sequence), time });
  }
  return { position: log.position, complete, messages: limited(messages, options, complete) };
}
