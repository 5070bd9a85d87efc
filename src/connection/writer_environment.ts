/**
 * What the writers of an application share.
 *
 * @module
 */
import type { Turns } from "../timing/turns.ts";
import type { Traffic } from "./traffic.ts";

/** Limits of waiting output, in bytes. */
export interface WriterLimits {
  /** If more waits, promises of writes are pending. */
  readonly highWaterMark: number;
  /** If more would wait, the connection is closed with 1013. */
  readonly maxBufferedAmount: number;
}

/** The objects that writers share. */
export interface WriterEnvironment {
  /** The limits. */
  readonly limits: WriterLimits;
  /** The counters. */
  readonly traffic: Traffic;
  /** Turns of the event loop. */
  readonly turns: Turns;
}
