/**
 * Limits the time of TLS handshakes, for applications with their own listener.
 *
 * @module
 */
import { reportError } from "./report_error.ts";
import type { Acceptor, ListenerOptions, TlsGate, TlsHandshake, Transport } from "./transport.ts";

/** How long a TLS handshake may take, in milliseconds. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;

/** Makes a gate that ends each handshake that takes longer than 10 s. */
export function openGate(accept: Acceptor, onError: ListenerOptions["onError"]): TlsGate {
  return {
    begin: (_peer, destroy) => new TimedHandshake(accept, onError, destroy),
  };
}

class TimedHandshake implements TlsHandshake {
  readonly #accept: Acceptor;
  readonly #onError: ListenerOptions["onError"];
  readonly #timeout: ReturnType<typeof setTimeout>;
  #isOver = false;

  constructor(accept: Acceptor, onError: ListenerOptions["onError"], destroy: () => void) {
    this.#accept = accept;
    this.#onError = onError;
    this.#timeout = setTimeout(() => {
      this.failed(new Error(`TLS handshake not finished within ${TLS_HANDSHAKE_TIMEOUT} ms`));
      destroy();
    }, TLS_HANDSHAKE_TIMEOUT);
  }

  accepted(transport: Transport): void {
    if (this.#end()) this.#accept(transport);
    else transport.destroy();
  }

  handedOver(): boolean {
    return this.#end();
  }

  failed(error: unknown): void {
    if (this.#end()) reportError(this.#onError, error);
  }

  /** Ends the handshake. Returns false if it had ended before. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timeout);
    return true;
  }
}
