/**
 * Tests a broker of your own: that messages arrive once and in order, that it survives a server that
 * is killed or hangs, and that history and presence are right. The cases work with `deno test`,
 * `bun test` and `node --test`.
 *
 * @example
 * ```ts ignore
 * import { test } from "node:test";
 * import { brokerConformance } from "@waterspout/websocket/testing/broker";
 * import { myBroker } from "./my_broker.ts";
 *
 * const cases = brokerConformance({ connect: () => myBroker("localhost:1234") });
 * for (const { name, skip, run } of cases) test(name, { skip: skip ?? false }, run);
 * ```
 *
 * @module
 */
import { applicationCases } from "./conformance/application_cases.ts";
import { faultCases } from "./conformance/fault_cases.ts";
import { historyCases } from "./conformance/history_cases.ts";
import { historyFaultCases } from "./conformance/history_fault_cases.ts";
import { memoryCases } from "./conformance/memory_cases.ts";
import { messageCases } from "./conformance/message_cases.ts";
import { presenceCases } from "./conformance/presence_cases.ts";
import { type CaseSpec, Scene } from "./conformance/scene.ts";
import { type BrokerCase, type BrokerSetup, lackOf } from "./conformance/setup.ts";
import { topicCases } from "./conformance/topic_cases.ts";

export type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  HistoryLimits,
  HistoryPage,
  KeptMessage,
  Position,
  PresenceChange,
  PresenceEntry,
  StoredAt,
} from "../pubsub/brokers/broker.ts";
export type { BrokerCase, BrokerConnect, BrokerSetup } from "./conformance/setup.ts";

const CASES: readonly CaseSpec[] = [
  ...messageCases,
  ...topicCases,
  ...faultCases,
  ...applicationCases,
  ...historyCases,
  ...historyFaultCases,
  ...presenceCases,
  ...memoryCases,
];

/**
 * Returns the cases that a broker must pass. Run them one after the other: some stop the server.
 *
 * Some cases use the broker directly, others through the topics of two applications, with clients in
 * memory. Each makes new brokers, uses topics of its own, and closes what it made. Every wait has a
 * timeout, and an error says what was expected.
 *
 * @param setup How to make a broker, what it has, and how to stop its server.
 * @returns The cases. Those that do not apply to the setup have the reason in `skip`.
 *
 * @example
 * ```ts
 * import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
 * import { brokerConformance } from "@waterspout/websocket/testing/broker";
 *
 * const cases = brokerConformance({
 *   connect: () => broadcastChannelBroker("all cases"),
 *   sharesTopics: true,
 * });
 * for (const { skip, run } of cases) if (skip === undefined) await run();
 * ```
 */
export function brokerConformance(setup: BrokerSetup): readonly BrokerCase[] {
  return CASES.map(({ name, needs = [], run }) => {
    const skip = needs.map((need) => lackOf(need, setup)).find((lack) => lack !== undefined);
    if (skip === undefined) return { name, run: () => runCase(setup, run) };
    const refuse = () => Promise.reject(new Error(`Cannot run case ${name}: ${skip}`));
    return { name, skip, run: refuse };
  });
}

async function runCase(setup: BrokerSetup, run: CaseSpec["run"]): Promise<void> {
  const scene = new Scene(setup);
  try {
    await run(scene);
    scene.verify();
  } catch (error) {
    // The case has failed for this reason, whatever the end says.
    await scene.end().catch(() => {});
    throw error;
  }
  await scene.end();
}
