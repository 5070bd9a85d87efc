/**
 * Work of the sockets of a listener, in groups.
 *
 * @module
 */
import type { Deferred } from "./transport.ts";

/** The function of Node and Bun that is no Web standard. */
interface Immediate {
  setImmediate(callback: () => void): unknown;
}

/** How much work is started before microtasks run, so that the first of it is soon complete. */
const MAX_GROUP = 32;

/**
 * Starts work when all sockets that have input are read. In between are no system calls, which empty
 * the caches of the processor: under load, a plain HTTP request takes 6 µs less on Node, and 5 on Bun.
 */
export class DeferredWork {
  /** Work that may be joined by more; `null` if none waits. */
  #group: Deferred[] | null = null;

  /** Adds work. It starts at the end of this turn of the event loop. */
  add(work: Deferred): void {
    if (this.#group !== null) this.#group.push(work);
    else {
      const group = this.#group = [work];
      (globalThis as unknown as Immediate).setImmediate(() => this.#start(group));
    }
    if (this.#group.length === MAX_GROUP) this.#group = null;
  }

  #start(group: Deferred[]): void {
    if (this.#group === group) this.#group = null;
    for (const work of group) work.start();
  }
}
