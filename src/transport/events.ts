/**
 * Who is told before anybody listens.
 *
 * @module
 */
import type { TransportEvents } from "./transport.ts";

/** Events that reach nobody: what a transport has until its `events` are set. */
export const noEvents: TransportEvents = {
  data(): void {},
  drain(): void {},
  end(): void {},
  closed(): void {},
};

/** What was thrown or rejected, as an `Error`. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
