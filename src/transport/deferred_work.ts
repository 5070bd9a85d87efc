/**
 * Groups the work of many sockets.
 *
 * @module
 */
import type { Deferred } from "./transport.ts";

/** `setImmediate` of Node and Bun, which is not a Web standard. */
interface Immediate {
  setImmediate(callback: () => void): unknown;
}

/** How much work to start before microtasks run. A limit, so that early work is completed soon. */
const MAX_GROUP = 32;

/**
 * Starts work after all sockets with input were read. System calls between pieces of work would empty the
 * processor caches. Under load, this saves 6 µs per plain HTTP request on Node, and 5 µs on Bun.
 */
export class DeferredWork {
  /** The group that is waiting to start; `null` if there is none. */
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
