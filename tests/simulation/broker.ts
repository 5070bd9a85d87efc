/**
 * A broker between the processes of a world, over links that the world can cut. It may repeat messages.
 *
 * @module
 */
import type { Broker, BrokerEvents, BrokerStatus } from "../../src/pubsub/brokers/broker.ts";
import type { Link, Network } from "./network.ts";

/** How many messages a broker repeats, at most. */
const REPEATED = 3;

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
  /** How often messages were repeated. */
  repeats = 0;
  /** The last messages, the oldest first. */
  readonly #last: { readonly topic: string; readonly message: Uint8Array }[] = [];
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
    this.#last.push({ topic, message });
    if (this.#last.length > REPEATED) this.#last.shift();
    this.#send(topic, message);
  }

  /** Sends the last messages again, as a broker does that was not acknowledged. @returns Their sizes. */
  repeat(): number[] {
    if (this.status !== "up") return [];
    this.repeats++;
    for (const { topic, message } of this.#last) this.#send(topic, message);
    return this.#last.map(({ message }) => message.length);
  }

  #send(topic: string, message: Uint8Array): void {
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
