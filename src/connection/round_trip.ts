/**
 * The round trip of a ping.
 *
 * @module
 */

/** Measures the time from the last ping to its pong. */
export class RoundTrip {
  /** The time of the last answered ping, in milliseconds; `undefined` until then. */
  latency: number | undefined = undefined;
  #payload: Uint8Array | null = null;
  #sentAt = 0;

  /** Called when a ping is sent. */
  sent(payload: Uint8Array, now: number): void {
    // The pings of the keepalive are empty. Nobody can change them, so an idle connection needs no copy.
    this.#payload = payload.length === 0 ? payload : new Uint8Array(payload);
    this.#sentAt = now;
  }

  /**
   * Called when a pong arrives.
   *
   * @returns The time since the last ping, if it answers that ping. A pong may also come unasked
   * (RFC 6455 §5.5.3).
   */
  received(payload: Uint8Array, now: number): number | undefined {
    const sent = this.#payload;
    if (sent === null || !areEqual(sent, payload)) return undefined;
    this.#payload = null;
    return this.latency = now - this.#sentAt;
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
