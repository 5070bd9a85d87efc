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
  readonly #tasks: (() => void)[] = [];
  #isStalled = false;

  /** Made by {@linkcode Network.link}. */
  constructor(network: Network) {
    this.#network = network;
  }

  /** Adds a delivery; for `memoryPair`. */
  readonly schedule = (task: () => void): void => {
    this.#tasks.push(task);
    // With an older one, the link is ready already.
    if (this.isReady && this.#tasks.length === 1) this.#network.add(this);
  };

  /** Whether there is something to deliver now. */
  get isReady(): boolean {
    return !this.#isStalled && this.#tasks.length > 0;
  }

  /** Makes the oldest delivery. */
  deliver(): void {
    const task = this.#tasks.shift();
    if (!this.isReady) this.#network.remove(this);
    task?.();
  }

  /** Holds deliveries. */
  stall(): void {
    if (this.isReady) this.#network.remove(this);
    this.#isStalled = true;
  }

  /** Continues after a stall. */
  flow(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    if (this.isReady) this.#network.add(this);
  }
}

/** All links. */
export class Network {
  /** The links that have something to deliver. */
  readonly #ready: Link[] = [];

  /** Makes a link. */
  link(): Link {
    return new Link(this);
  }

  /** A link has something to deliver now. */
  add(link: Link): void {
    this.#ready.push(link);
  }

  /** A link has nothing more to deliver. */
  remove(link: Link): void {
    this.#ready.splice(this.#ready.indexOf(link), 1);
  }

  /** Delivers one thing. @param choose Picks among so many links. @returns False if nothing waits. */
  deliver(choose: (count: number) => number): boolean {
    const { length } = this.#ready;
    const link = this.#ready[length > 1 ? choose(length) : 0];
    link?.deliver();
    return link !== undefined;
  }
}
