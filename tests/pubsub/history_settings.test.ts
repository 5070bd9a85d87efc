import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import type { Broker } from "../../src/pubsub/brokers/broker.ts";
import { HistoryRules, type TopicHistory } from "../../src/pubsub/history_settings.ts";
import { topicMatcher } from "../../src/pubsub/topic_pattern.ts";
import { Application } from "../../src/server/application.ts";
import { checkRows } from "../support/rows.ts";

interface PatternRow {
  readonly pattern: string;
  readonly yes: readonly string[];
  readonly no: readonly string[];
}

test("a pattern matches whole topics, and * any characters or none", () => {
  const rows: PatternRow[] = [
    { pattern: "news", yes: ["news"], no: ["new", "news/", "anews", ""] },
    { pattern: "*", yes: ["a", "a/b", "*", ""], no: [] },
    { pattern: "rooms/*", yes: ["rooms/", "rooms/a", "rooms/a/b"], no: ["rooms", "xrooms/a"] },
    { pattern: "*/log", yes: ["/log", "a/log", "a/log/log"], no: ["log", "a/logs"] },
    { pattern: "a*b*c", yes: ["abc", "aXbYc", "abbcc", "abcbc"], no: ["ab", "acb", "abcX", "ac"] },
    { pattern: "a*a", yes: ["aa", "aXa"], no: ["a"] },
    { pattern: "ab*bc", yes: ["abbc", "abXbc"], no: ["abc"] },
    { pattern: "a*b*b", yes: ["abb", "aXbYb"], no: ["ab"] },
    { pattern: "**", yes: ["", "a"], no: [] },
    { pattern: "a**b", yes: ["ab", "aXb"], no: ["a", "b"] },
    { pattern: "日*👋", yes: ["日👋", "日本👋"], no: ["日"] },
    { pattern: "a.c+(x)", yes: ["a.c+(x)"], no: ["abc+(x)", "a.cc(x)"] },
  ];
  checkRows(rows, ({ pattern }) => pattern, ({ pattern, yes, no }) => {
    const matches = topicMatcher(pattern);
    for (const topic of yes) assertEquals([topic, matches(topic)], [topic, true]);
    for (const topic of no) assertEquals([topic, matches(topic)], [topic, false]);
  });
});

test("a pattern of many stars takes no exponential time", () => {
  // A backtracking matcher would try 128 over 64 ways.
  const matches = topicMatcher("a*".repeat(64) + "b");
  assertEquals(matches("a".repeat(256)), false);
  assertEquals(matches("a".repeat(255) + "b"), true);
});

test("the first pattern that matches counts, with defaults for what it does not say", () => {
  const rules = new HistoryRules({ "a/b": { size: 1 }, "a/*": { ttl: 0 }, "*": { maxBytes: 2 } });
  const sizes = ["a/b", "a/c", "c"].map((topic) => {
    const { size, ttl, maxBytes } = rules.of(topic) ?? {};
    return [size, ttl, maxBytes];
  });
  assertEquals(sizes, [[1, 300_000, 2 ** 20], [100, 0, 2 ** 20], [100, 300_000, 2]]);
  assertEquals(new HistoryRules({ "a*": {} }).of("b"), undefined);
});

type Wrong = readonly [history: unknown, type: typeof TypeError, message: string];

test("a wrong setting history is an error", () => {
  const rows: Wrong[] = [
    [true, TypeError, "Cannot use history: must be an object, got true"],
    [[], TypeError, "Cannot use history: must be an object, got an array"],
    [{ "": {} }, TypeError, 'Cannot use the setting history for "": a topic must not be empty'],
    [{ ["x".repeat(257)]: {} }, TypeError, "must have at most 256"],
    [{ "a\ud800": {} }, TypeError, "lone surrogate"],
    [{ a: null }, TypeError, 'Cannot use history["a"]: must be an object, got null'],
    [{ a: 5 }, TypeError, 'Cannot use history["a"]: must be an object, got 5'],
    [{ a: { length: 5 } }, TypeError, 'option of history["a"] "length": unknown'],
    [{ a: { sise: 5 } }, TypeError, "did you mean size?"],
    [{ a: { format: "x" } }, TypeError, 'Cannot use history["a"].format: must be a function'],
    [{ a: { size: "5" } }, TypeError, 'history["a"].size: must be a positive integer, got "5"'],
    [{ a: { ttl: null } }, TypeError, 'Cannot use history["a"].ttl: must be an integer from 0'],
    ...[0, -1, 1.5, NaN, Infinity, 2 ** 53].flatMap((value): Wrong[] => [
      [{ a: { size: value } }, RangeError, `.size: must be a positive integer, got ${value}`],
      [{ a: { maxBytes: value } }, RangeError, `.maxBytes: must be a positive integer`],
    ]),
    [{ a: { ttl: -1 } }, RangeError, ".ttl: must be an integer from 0 (off) to 2147483647, got -1"],
    [{ a: { ttl: 2 ** 31 } }, RangeError, ".ttl: must be an integer from 0"],
  ];
  checkRows(rows, ([history]) => JSON.stringify(history) ?? "", ([history, type, message]) => {
    const settings = { history: history as Record<string, TopicHistory> };
    assertThrows(() => new Application([], settings), type, message);
  });
  new Application([], { history: {} });
  new Application([], { history: { a: { size: 1, ttl: 0, maxBytes: 1 } } });
});

test("a broker that keeps no messages is refused, and stays free", () => {
  const broker: Broker = {
    name: "Forgetful",
    status: "up",
    events: undefined,
    publish() {},
    subscribe() {},
    unsubscribe() {},
    close: () => Promise.resolve(),
  };
  assertThrows(
    () => new Application([], { broker, history: { a: {} } }),
    TypeError,
    "Cannot use the setting history with Forgetful: it keeps no messages; use redisStreamsBroker",
  );
  assert(broker.events === undefined);
});
