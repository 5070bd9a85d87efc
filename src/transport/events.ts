/**
 * Who is told before anybody listens.
 *
 * @module
 */
import { guard, toError } from "../guard.ts";
import type { ListenerOptions, TransportEvents } from "./transport.ts";

/** Events that reach nobody: what a transport has until its `events` are set. */
export const noEvents: TransportEvents = {
  data(): void {},
  drain(): void {},
  end(): void {},
  closed(): void {},
};

/**
 * Tells the owner of a listener that a connection could not be accepted. What the owner's own
 * callback throws is written to the console: the listener goes on.
 */
export function tellError(onError: ListenerOptions["onError"], error: unknown): void {
  if (onError === undefined) return;
  guard((): unknown => onError(toError(error)), (another) => {
    // The console shows what it is given by its getters, which may throw as well.
    guard((): unknown => console.error("Uncaught exception in onError:", another), () => {});
  });
}
