/**
 * What the conformance kit needs to know of a broker, and what a case is.
 *
 * @module
 */
import type { Broker } from "../../pubsub/brokers/broker.ts";

/**
 * How {@linkcode BrokerSetup.connect} makes a broker.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { BrokerConnect } from "@waterspout/websocket/testing/broker";
 *
 * const connect: BrokerConnect = { limits: { maxBufferedAmount: 1024 }, onEnd() {} };
 * assert(connect.limits.maxBufferedAmount === 1024);
 * ```
 */
export interface BrokerConnect {
  /** Limits that a case needs; most need none. Pass them to your broker. */
  readonly limits: {
    /** How many bytes may wait for the server. */
    readonly maxBufferedAmount?: number;
  };
  /**
   * Registers a function that runs after the case, when the broker is closed. Close connections
   * there that your broker leaves open.
   */
  onEnd(callback: () => unknown): void;
}

/**
 * A broker and its server, for {@linkcode brokerConformance}. The optional functions cause the
 * faults that a broker must survive. Without them, the cases that need them are skipped.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
 * import type { BrokerSetup } from "@waterspout/websocket/testing/broker";
 *
 * const setup: BrokerSetup = {
 *   connect: () => broadcastChannelBroker("conformance"),
 *   sharesTopics: true,
 *   timeout: 5000,
 * };
 * assert(setup.history === undefined);
 * ```
 */
export interface BrokerSetup {
  /** Makes a broker, as another process would. Messages travel between all brokers of a setup. */
  connect(options: BrokerConnect): Promise<Broker> | Broker;
  /** Whether the broker has `history`. Default: `false`. */
  readonly history?: boolean;
  /** Whether the broker has `presence`. Default: `false`. */
  readonly presence?: boolean;
  /** Whether a process receives the messages of all topics, also of others. Default: `false`. */
  readonly sharesTopics?: boolean;
  /** The largest message that the broker can send, in bytes. Default: at least 1 MiB. */
  readonly largestMessage?: number;
  /** Kills the server, which may be frozen. The next call is `start`. */
  readonly stop?: () => Promise<void> | void;
  /** Starts the server again. Stored messages may be lost. */
  readonly start?: () => Promise<void> | void;
  /** Freezes the server: connections stay open, and nothing is answered. */
  readonly pause?: () => Promise<void> | void;
  /** Ends `pause`. Not called if the server was killed. */
  readonly resume?: () => Promise<void> | void;
  /** Deletes everything that the server has stored. */
  readonly loseData?: () => Promise<void> | void;
  /** How long a case waits for one event at most, in milliseconds. Default: 10 s. */
  readonly timeout?: number;
}

/**
 * One case of {@linkcode brokerConformance}.
 *
 * @example
 * ```ts
 * import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
 * import { brokerConformance, type BrokerCase } from "@waterspout/websocket/testing/broker";
 *
 * const cases: readonly BrokerCase[] = brokerConformance({
 *   connect: () => broadcastChannelBroker("one case"),
 *   sharesTopics: true,
 * });
 * await cases[0]?.run();
 * ```
 */
export interface BrokerCase {
  /** What the case checks. */
  readonly name: string;
  /** Why the case does not apply to this broker; absent if it does. */
  readonly skip?: string;
  /**
   * Runs the case. Cases may not run at the same time: some stop the server.
   *
   * @throws {Error} If the broker is wrong, or did not respond in time. The message says what was
   * expected. A case with `skip` throws its reason.
   */
  run(): Promise<void>;
}

/** What a case may need. */
export type Need = "history" | "presence" | "separate topics" | "stop" | "pause" | "loseData";

/** Why a setup lacks what a case needs; `undefined` if it does not. */
export function lackOf(need: Need, setup: BrokerSetup): string | undefined {
  switch (need) {
    case "history":
    case "presence":
      return setup[need] ? undefined : `the broker has no ${need}`;
    case "separate topics":
      return setup.sharesTopics ? "a process receives the messages of all topics" : undefined;
    case "stop":
      return setup.stop && setup.start ? undefined : "the setup has no stop and start";
    case "pause":
      return setup.pause && setup.resume ? undefined : "the setup has no pause and resume";
    case "loseData":
      return setup.loseData ? undefined : "the setup has no loseData";
  }
}
