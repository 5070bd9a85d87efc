/**
 * What the writers of an application share.
 *
 * @module
 */
import type { Turns } from "../timing/turns.ts";
import type { Traffic } from "./traffic.ts";

/** Limits of waiting output, in bytes. */
export interface WriterLimits {
  /** Promises of writes stay pending while more than this waits. */
  readonly highWaterMark: number;
  /** The most output that may wait. Beyond it, the connection is closed with 1013. */
  readonly maxBufferedAmount: number;
}

/** The objects that writers share. */
export interface WriterEnvironment {
  /** The limits. */
  readonly limits: WriterLimits;
  /** The counters. */
  readonly traffic: Traffic;
  /** Limits how much is written in one turn of the event loop. */
  readonly turns: Turns;
}
