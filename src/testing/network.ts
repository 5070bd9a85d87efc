/**
 * The network between the two ends of a connection in memory.
 *
 * @module
 */

/** Delivers the bytes of both ends in order, or holds them. */
export class Network {
  #tasks: (() => void)[] = [];
  #stalled = false;
  #running = false;

  /** Schedules a delivery; for `memoryPair`. */
  readonly schedule = (task: () => void): void => {
    this.#tasks.push(task);
    this.#run();
  };

  /** Whether deliveries are held. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Holds deliveries in both directions, until {@linkcode flow}. */
  stall(): void {
    this.#stalled = true;
  }

  /** Delivers held bytes first, and then goes on. */
  flow(): void {
    this.#stalled = false;
    this.#run();
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    // One per microtask, as a runtime delivers its events.
    queueMicrotask(() => {
      this.#running = false;
      if (this.#stalled) return;
      const task = this.#tasks.shift();
      if (this.#tasks.length > 0) this.#run();
      task?.();
    });
  }
}
