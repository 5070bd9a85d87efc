/**
 * Tasks that a test runs one by one.
 *
 * @module
 */

/** Holds tasks until a test runs them: pass its `schedule` to {@linkcode memoryPair}. */
export class Steps {
  readonly #tasks: (() => void)[] = [];

  /** Adds a task at the end. */
  readonly schedule = (task: () => void): void => {
    this.#tasks.push(task);
  };

  /** Runs the next task. Returns whether there was one. */
  step(): boolean {
    const task = this.#tasks.shift();
    task?.();
    return task !== undefined;
  }

  /** Runs tasks until none is left, including those that they schedule. */
  run(): void {
    while (this.step());
  }
}
