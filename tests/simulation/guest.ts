/**
 * What the world needs of each client.
 *
 * @module
 */
import type { Clock } from "../../src/timing/clock.ts";
import type { ClientStep, PlanSettings } from "./plan.ts";

/** What a client needs of its world. */
export interface GuestOptions {
  readonly clock: Clock;
  readonly settings: PlanSettings;
}

/** One client. */
export interface Guest {
  /** Does one step. The world itself stalls its link. */
  act(step: ClientStep): void;
}
