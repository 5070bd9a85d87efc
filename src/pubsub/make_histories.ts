/**
 * Makes what the setting `history` asks for.
 *
 * @module
 */
import { Delivery, Histories, type HistoryEnvironment } from "./histories.ts";
import type { TopicHistory } from "./history_settings.ts";
import { LocalHistory } from "./local_history.ts";
import type { Topics } from "./topics.ts";

/** @param settings The setting `history`. @param topics The topics. @param environment The timers. */
export function makeHistories(
  settings: Readonly<Record<string, TopicHistory>>,
  topics: Topics,
  environment: HistoryEnvironment,
): Histories {
  const delivery = new Delivery(topics, environment);
  return new Histories(settings, topics, new LocalHistory(delivery));
}
