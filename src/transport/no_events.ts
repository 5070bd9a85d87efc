/**
 * Events that do nothing.
 *
 * @module
 */
import type { TransportEvents } from "./transport.ts";

/** The events of a transport until its `events` are set. */
export const noEvents: TransportEvents = {
  data(): void {},
  drain(): void {},
  end(): void {},
  closed(): void {},
};
