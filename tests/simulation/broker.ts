/**
 * A broker between the processes of a world, over links that the world can cut.
 *
 * @module
 */
import type { Broker, BrokerEvents, BrokerStatus } from "../../src/pubsub/brokers/broker.ts";
import type { Link, Network } from "./network.ts";

/** Connects the brokers of all processes. */
export class Hub {
  readonly #brokers: SimulatedBroker[] = [];
  readonly #network: Network;

  /** @param network Delivers what is published. */
  constructor(network: Network) {
    this.#network = network;
  }

  /** The broker of one more process. */
  join(): SimulatedBroker {
    const broker = new SimulatedBroker(this, this.#network.link());
    this.#brokers.push(broker);
    return broker;
  }

  /** Sends a message to all processes. */
  publish(topic: string, message: Uint8Array): void {
    for (const broker of this.#brokers) broker.deliver(topic, message);
  }
}

/** The broker as one process sees it. */
export class SimulatedBroker implements Broker {
  readonly name = "a simulated broker";
  status: BrokerStatus = "up";
  events: BrokerEvents | undefined;
  readonly #hub: Hub;
  readonly #link: Link;
  readonly #topics = new Set<string>();

  /** Made by {@linkcode Hub.join}. */
  constructor(hub: Hub, link: Link) {
    this.#hub = hub;
    this.#link = link;
  }

  publish(topic: string, message: Uint8Array): void {
    if (this.status === "up") this.#hub.publish(topic, message.slice());
  }

  subscribe(topic: string): void {
    this.#topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic);
  }

  /** Sends a message to this process. During a partition, the message is lost. */
  deliver(topic: string, message: Uint8Array): void {
    if (this.status !== "up") return;
    this.#link.schedule(() => {
      if (this.status === "up" && this.#topics.has(topic)) this.events?.message(message.slice());
    });
  }

  /** Disconnects or reconnects the process. */
  set isCut(isCut: boolean) {
    const status = isCut ? "down" : "up";
    if (status === this.status) return;
    this.status = status;
    this.events?.status(status);
  }

  close(): Promise<void> {
    this.status = "down";
    return Promise.resolve();
  }
}
