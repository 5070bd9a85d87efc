/**
 * When output goes out: in one write for each connection, at the end of the chunk during which it was
 * written, or else at the end of the microtask queue.
 *
 * @module
 */
import { Output } from "../protocol/output.ts";

/** A connection with output that waits. */
export interface Flushable {
  /** Sends what waits. Never throws. */
  flush(): void;
}

/** How many idle outputs are kept for the next writers. */
const MAX_IDLE_OUTPUTS = 64;

/** Which output waits, and for what. */
class Cork {
  /** How many calls of {@linkcode cork} have no {@linkcode uncork} yet. */
  depth = 0;
  /** Whether a flush is in the microtask queue. */
  isScheduled = false;
  /**
   * The connections with output that waits: the first `waitingCount`. Emptying an array by its `length`
   * makes V8 free its memory by a slow call, 110 of the 520 ns that an echo takes.
   */
  readonly waiting: (Flushable | null)[] = [];
  waitingCount = 0;
  /** Outputs that nobody uses. */
  readonly idleOutputs: Output[] = [];
}

/**
 * Module state: one for the process, as there is one microtask queue. A chunk's output goes out at its
 * end without a microtask, and outputs are used again: with a new one for each chunk, a chunk with one
 * message takes 0.8 µs instead of 0.2 on Bun, 1.0 instead of 0.6 on Node and 1.0 instead of 0.7 on
 * Deno.
 */
const state = new Cork();

/** Returns an empty output, which must be given back. */
export function takeOutput(): Output {
  return state.idleOutputs.pop() ?? new Output();
}

/** Gives an output back, emptied. */
export function giveOutput(output: Output): void {
  if (state.idleOutputs.length < MAX_IDLE_OUTPUTS) state.idleOutputs.push(output);
}

/** Calls `flush` at the end of the chunk that is being processed, or of the microtask queue. */
export function flushSoon(flushable: Flushable): void {
  state.waiting[state.waitingCount++] = flushable;
  if (state.depth === 0 && !state.isScheduled) {
    state.isScheduled = true;
    queueMicrotask(flushScheduled);
  }
}

function flushScheduled(): void {
  state.isScheduled = false;
  flushAll();
}

function flushAll(): void {
  const { waiting } = state;
  // A flush may add others (a connection that fails). They are flushed by this loop, not by one inside.
  state.depth++;
  for (let i = 0; i < state.waitingCount; i++) {
    const flushable = waiting[i];
    waiting[i] = null;
    flushable?.flush();
  }
  state.waitingCount = 0;
  state.depth--;
}

/** Begins the processing of a chunk: output waits until {@linkcode uncork}. */
export function cork(): void {
  state.depth++;
}

/** Ends the processing of a chunk, whether or not it threw: output that waits goes out. */
export function uncork(): void {
  if (--state.depth === 0 && state.waitingCount !== 0) flushAll();
}

/** Runs work as if it were the processing of a chunk: its output goes out together, at its end. */
export function corked(work: () => void): void {
  cork();
  try {
    work();
  } finally {
    uncork();
  }
}
