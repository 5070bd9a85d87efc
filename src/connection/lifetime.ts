/**
 * The end of a connection, for code that waits for it.
 *
 * @module
 */
import type { ConnectionEnd } from "./connection_end.ts";

/** The end as a signal and as a promise. Each is made when it is first asked for. */
export class Lifetime {
  #end: ConnectionEnd | undefined;
  #controller: AbortController | null = null;
  #closed: PromiseWithResolvers<ConnectionEnd> | null = null;

  /** @param end Why the connection ended; `undefined` if it has not. */
  constructor(end?: ConnectionEnd) {
    this.#end = end;
  }

  /** Why the connection ended; `undefined` before. */
  get ended(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Aborts at the end. Its reason is the record of the end. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#end !== undefined) this.#controller.abort(this.#end);
    }
    return this.#controller.signal;
  }

  /** Resolves with the record of the end. Never rejects. */
  get closed(): Promise<ConnectionEnd> {
    if (this.#closed === null) {
      this.#closed = Promise.withResolvers();
      if (this.#end !== undefined) this.#closed.resolve(this.#end);
    }
    return this.#closed.promise;
  }

  /** Ends the connection. The first end counts. */
  end(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#closed?.resolve(end);
    const controller = this.#controller;
    // In a microtask: listeners must not run inside the call that has ended the connection.
    if (controller !== null) queueMicrotask(() => controller.abort(end));
  }
}
