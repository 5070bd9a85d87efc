/**
 * Why a connection ends, for the closing frame.
 *
 * @module
 */

/** The most bytes of a reason: a control frame has 125, of which the code takes two (RFC 6455 §5.5). */
const MAX_REASON_SIZE = 123;

/** As much of a reason as a closing frame holds. */
export function fitReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_SIZE));
  return reason.slice(0, read);
}
