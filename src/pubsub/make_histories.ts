/**
 * Makes what the setting `history` asks for.
 *
 * @module
 */
import type { Broker } from "./brokers/broker.ts";
import { Delivery, Histories, type HistoryEnvironment } from "./histories.ts";
import { HistoryRules, type TopicHistory } from "./history_settings.ts";
import { LocalHistory } from "./local_history.ts";
import { RelayHistory } from "./relay_history.ts";
import { TopicRules } from "./topic_rules.ts";
import type { Topics } from "./topics.ts";

/**
 * Makes the histories of all topics, kept by this process or by its broker.
 *
 * @param topics The topics. Their relay exists.
 * @param settings The settings `history` and `broker`.
 * @param environment Timers and log.
 */
export function makeHistories(
  topics: Topics,
  { history, broker }: {
    readonly history: Readonly<Record<string, TopicHistory>>;
    readonly broker: Broker | undefined;
  },
  environment: HistoryEnvironment,
): Histories {
  const delivery = new Delivery(topics, environment);
  const rules = new TopicRules(new HistoryRules(history), topics);
  const { relay } = topics;
  if (relay === null || broker?.history === undefined) {
    return new Histories(rules, new LocalHistory(delivery));
  }
  relay.history = new RelayHistory(broker.history, { relay, delivery, rules });
  return new Histories(rules, relay.history);
}
