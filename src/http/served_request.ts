/**
 * A `Request` whose signal aborts when its client leaves.
 *
 * @module
 */

/**
 * A request to this server. Its signal is made when it is first read: with the option `signal` of a
 * `Request`, a request takes 9.6 instead of 2.1 µs on Node, and few applications read it.
 */
export class ServedRequest extends Request {
  #controller: AbortController | null = null;
  #isAborted = false;

  /** Aborts when the client leaves before it has the response. A copy of the request has another. */
  override get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#isAborted) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  /** Aborts the signal of a request. A function of the class, so that applications do not see it. */
  static abort(request: ServedRequest): void {
    request.#isAborted = true;
    request.#controller?.abort();
  }

  /** Whether an error is only that the signal of the request has aborted. */
  static isAbort(request: ServedRequest, error: unknown): boolean {
    return request.#isAborted && request.#controller?.signal.reason === error;
  }
}
