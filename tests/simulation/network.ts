/**
 * The data in transit between the ends of connections, and between processes and their broker. The
 * world chooses what arrives next. Each link keeps its order.
 *
 * @module
 */

/** One link. Its deliveries stay in order. */
export class Link {
  readonly #network: Network;
  /** Deliveries, the oldest first. */
  readonly tasks: (() => void)[] = [];
  /** Whether deliveries are held. */
  stalled = false;

  /** Made by {@linkcode Network.link}. */
  constructor(network: Network) {
    this.#network = network;
  }

  /** Adds a delivery; for `memoryPair`. */
  readonly schedule = (task: () => void): void => {
    this.tasks.push(task);
    this.#network.ready.add(this);
  };

  /** Continues after a stall. */
  flow(): void {
    this.stalled = false;
    if (this.tasks.length > 0) this.#network.ready.add(this);
  }
}

/** All links. */
export class Network {
  /** The links that may have something to deliver. */
  readonly ready: Set<Link> = new Set();

  /** Makes a link. */
  link(): Link {
    return new Link(this);
  }

  /** Delivers one thing. @param choose Picks among so many links. @returns False if nothing waits. */
  deliver(choose: (count: number) => number): boolean {
    const links: Link[] = [];
    for (const link of this.ready) {
      if (link.stalled || link.tasks.length === 0) this.ready.delete(link);
      else links.push(link);
    }
    const task = links[choose(links.length)]?.tasks.shift();
    task?.();
    return task !== undefined;
  }
}
