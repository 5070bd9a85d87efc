/**
 * The setting `history`: which topics are kept, and how much of each.
 *
 * @module
 */
import type { Message } from "../connection/message.ts";
import { checkOptions, FUNCTION, type Kind, show, TIME, withDefaults } from "../validation.ts";
import type { Broker, HistoryLimits, Position } from "./brokers/broker.ts";
import { topicMatcher } from "./topic_pattern.ts";
import { checkTopic } from "./topic.ts";

/**
 * How much of a topic is kept. Each topic that matches the pattern has these limits for itself. The
 * oldest messages are dropped first.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type TopicHistory } from "@waterspout/websocket";
 *
 * const rooms: TopicHistory = { size: 50, ttl: 60_000 };
 * const app = new Application([], { history: { "rooms/*": rooms } });
 * await app.publish("rooms/lobby", "Hello").position;
 * const { messages } = await app.history("rooms/lobby");
 * assertEquals(messages.map(({ message }) => message), ["Hello"]);
 * ```
 */
export interface TopicHistory {
  /** The most messages of a topic. Default: 100. */
  readonly size?: number | undefined;
  /** How long a message is kept, in milliseconds; 0 is no limit. Default: 300,000 (5 minutes). */
  readonly ttl?: number | undefined;
  /** The most bytes of all kept messages of a topic. Default: 1 MiB. */
  readonly maxBytes?: number | undefined;
  /**
   * Makes the message that subscribers get, so that a client learns the position. It is called once
   * for each message in each process. If it throws, the error is logged, and no subscriber of this
   * process gets the message. Default: subscribers get the message as it was published.
   *
   * @param message The published message: a string, or the bytes, which must not be changed.
   * @param position Its position.
   *
   * @example
   * ```ts
   * import { Application } from "@waterspout/websocket";
   *
   * new Application([], {
   *   history: {
   *     "rooms/*": {
   *       format: (message, { epoch, offset }) => ({ text: String(message), epoch, offset }),
   *     },
   *   },
   * });
   * ```
   */
  readonly format?: ((message: string | Uint8Array, position: Position) => Message) | undefined;
}

/** The limits of the topics of a pattern, and their format. */
export interface HistoryRule extends HistoryLimits {
  /** See {@linkcode TopicHistory.format}. */
  readonly format: TopicHistory["format"];
}

const DEFAULTS: HistoryRule = { size: 100, ttl: 300_000, maxBytes: 1024 * 1024, format: undefined };

/** A number that is never infinite: brokers store it. */
const COUNT: Kind = {
  expected: "a positive integer",
  hasType: (value) => typeof value === "number",
  inRange: (value) => Number.isSafeInteger(value) && Number(value) > 0,
};

const KINDS: Readonly<Record<keyof TopicHistory, Kind>> = {
  size: COUNT,
  ttl: TIME,
  maxBytes: COUNT,
  format: FUNCTION,
};

/** A pattern and what it says. */
interface Row {
  readonly matches: (topic: string) => boolean;
  readonly rule: HistoryRule;
}

/** The compiled setting `history`. */
export class HistoryRules {
  readonly #rows: readonly Row[];

  /**
   * @param history The setting.
   * @throws {TypeError} If a pattern is not a topic, or an option is unknown or has the wrong type.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(history: Readonly<Record<string, TopicHistory>>) {
    this.#rows = Object.entries(history).map(([pattern, options]) => {
      checkTopic(pattern, "use the setting history for");
      return { matches: topicMatcher(pattern), rule: toRule(pattern, options) };
    });
  }

  /** Returns the rule of the first pattern that matches a topic. */
  of(topic: string): HistoryRule | undefined {
    return this.#rows.find(({ matches }) => matches(topic))?.rule;
  }
}

function toRule(pattern: string, options: TopicHistory): HistoryRule {
  const place = `history[${JSON.stringify(pattern)}]`;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new TypeError(`Cannot use ${place}: must be an object, got ${show(options)}`);
  }
  checkOptions(options, {
    kinds: KINDS,
    noun: `option of ${place}`,
    subject: (name) => `Cannot use ${place}.${name}:`,
  });
  return withDefaults(DEFAULTS, options as Partial<HistoryRule>);
}

/**
 * Checks the setting `history`.
 *
 * @throws {TypeError} As {@linkcode HistoryRules}, and if the broker keeps no messages.
 * @throws {RangeError} If a number is out of range.
 */
export function checkHistory(
  history: Readonly<Record<string, TopicHistory>>,
  broker: Broker | undefined,
): void {
  new HistoryRules(history);
  // A broker that can lose messages would leave holes that nobody notices.
  if (broker === undefined || broker.history !== undefined) return;
  throw new TypeError(
    `Cannot use the setting history with ${broker.name}: it keeps no messages; ` +
      "use redisStreamsBroker or another broker with a history",
  );
}
