/**
 * Connects the topics of several workers in one process, through a `BroadcastChannel` of the Web.
 *
 * @module
 */
import type { Broker, BrokerEvents, BrokerStatus } from "./broker.ts";

export type { Broker, BrokerEvents, BrokerStatus };

/**
 * Connects the topics of all workers that use the same channel name.
 *
 * All topics share one channel, and each worker drops messages without subscribers. With one
 * channel for each topic, the cost of a message would grow with the number of topics (100 µs for
 * 10,000; one channel takes 5 to 12).
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import { broadcastChannelBroker } from "@waterspout/websocket/brokers/broadcast_channel";
 *
 * const broker = broadcastChannelBroker("my-service");
 * const app = new Application([], { broker });
 * app.publish("news", "to the subscribers of all workers");
 * await broker.close();
 * ```
 *
 * @param name The name of the channel. Use one for each application. Default: `"waterspout"`.
 */
export function broadcastChannelBroker(name: string = "waterspout"): Broker {
  return new BroadcastChannelBroker(name);
}

class BroadcastChannelBroker implements Broker {
  readonly name: string;
  readonly status: BrokerStatus = "up";
  events: BrokerEvents | undefined = undefined;
  readonly #channel: BroadcastChannel;

  constructor(name: string) {
    this.name = `BroadcastChannel ${JSON.stringify(name)}`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.events?.message(data);
    this.#channel.onmessageerror = () => this.events?.message(undefined);
    // A channel must not keep the process alive.
    (this.#channel as { unref?: () => void }).unref?.();
  }

  publish(_topic: string, message: Uint8Array): void {
    this.#channel.postMessage(message);
  }

  subscribe(): void {}

  unsubscribe(): void {}

  close(): Promise<void> {
    this.#channel.close();
    // In Deno, a channel does not work if it is made in the same turn in which the last one of the
    // process was closed.
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
}
