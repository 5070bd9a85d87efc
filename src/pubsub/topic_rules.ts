/**
 * The rules of topics, remembered while a topic has subscribers.
 *
 * @module
 */
import type { HistoryRule, HistoryRules } from "./history_settings.ts";

/** Finds the rule of a topic. */
export class TopicRules {
  readonly #rules: HistoryRules;
  readonly #topics: { has(topic: string): boolean };
  /** The rules of topics with subscribers; `null` for topics without a history. */
  readonly #known: Map<string, HistoryRule | null> = new Map();

  /** @param rules The compiled setting. @param topics The topics with subscribers. */
  constructor(rules: HistoryRules, topics: { has(topic: string): boolean }) {
    this.#rules = rules;
    this.#topics = topics;
  }

  /** Returns the rule of a topic; `null` if it has no history. */
  of(topic: string): HistoryRule | null {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const rule = this.#rules.of(topic) ?? null;
    if (this.#topics.has(topic)) this.#known.set(topic, rule);
    return rule;
  }

  /** Forgets a topic that has no subscribers any more. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }
}
