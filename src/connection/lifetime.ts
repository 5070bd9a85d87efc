/**
 * Lets the application wait for the end of a connection.
 *
 * @module
 */
import type { ConnectionEnd } from "./connection_end.ts";

/** The end of a connection as a signal and as a promise. Both are created on first use. */
export class Lifetime {
  #end: ConnectionEnd | undefined;
  #controller: AbortController | null = null;
  #closed: PromiseWithResolvers<ConnectionEnd> | null = null;

  /** @param end Why the connection ended; `undefined` if it has not. */
  constructor(end?: ConnectionEnd) {
    this.#end = end;
  }

  /** Why the connection ended; `undefined` while it is open. */
  get ended(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Aborts when the connection ends. Its reason is {@linkcode ended}. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#end !== undefined) this.#controller.abort(this.#end);
    }
    return this.#controller.signal;
  }

  /** Resolves with {@linkcode ended} when the connection ends. Never rejects. */
  get closed(): Promise<ConnectionEnd> {
    if (this.#closed === null) {
      this.#closed = Promise.withResolvers();
      if (this.#end !== undefined) this.#closed.resolve(this.#end);
    }
    return this.#closed.promise;
  }

  /** Called when the connection ends. Only the first call counts. */
  end(end: ConnectionEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#closed?.resolve(end);
    const controller = this.#controller;
    // In a microtask: listeners must not run inside the call that has ended the connection.
    if (controller !== null) queueMicrotask(() => controller.abort(end));
  }
}
