/**
 * What is between the two ends of a connection in memory.
 *
 * @module
 */

/** Carries what the ends send, in order, or holds it. */
export class Network {
  #tasks: (() => void)[] = [];
  #stalled = false;
  #running = false;

  /** Does what is to be done next; for `memoryPair`. */
  readonly schedule = (task: () => void): void => {
    this.#tasks.push(task);
    this.#run();
  };

  /** Whether nothing gets through. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Lets nothing through, in either direction, until {@linkcode flow}. */
  stall(): void {
    this.#stalled = true;
  }

  /** Lets everything through, first what was held. */
  flow(): void {
    this.#stalled = false;
    this.#run();
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    // One at a time, each in a microtask of its own, as a runtime's events come.
    queueMicrotask(() => {
      this.#running = false;
      if (this.#stalled) return;
      const task = this.#tasks.shift();
      if (this.#tasks.length > 0) this.#run();
      task?.();
    });
  }
}
