/**
 * When output goes out: what is written while a chunk is being processed goes at the end of that
 * chunk, and what is written at another time goes at the end of the microtask queue, in one write
 * per connection.
 *
 * @module
 */
import { Output } from "../protocol/output.ts";

/** Something with output that waits. */
export interface Flushable {
  /** Sends what waits. Never throws. */
  flush(): void;
}

/** How many idle outputs are kept for the next writers. */
const KEPT_OUTPUTS = 64;

const outputs: Output[] = [];
/**
 * Those with output that waits: the first `dirtyCount`. Emptying an array by its `length` makes V8
 * throw its memory away by a slow call, 110 of the 520 ns that an echo takes.
 */
const dirty: (Flushable | null)[] = [];
let dirtyCount = 0;
let reads = 0;
let scheduled = false;

/** An empty output; to be given back. */
export function takeOutput(): Output {
  return outputs.pop() ?? new Output();
}

/** Gives an emptied output back. */
export function giveOutput(output: Output): void {
  if (outputs.length < KEPT_OUTPUTS) outputs.push(output);
}

/** Has `flush` called at the end of the chunk being processed, or of the microtask queue. */
export function flushSoon(flushable: Flushable): void {
  dirty[dirtyCount++] = flushable;
  if (reads === 0 && !scheduled) {
    scheduled = true;
    queueMicrotask(flushScheduled);
  }
}

function flushScheduled(): void {
  scheduled = false;
  flushAll();
}

function flushAll(): void {
  // A flush may make others dirty (a connection that fails): the list grows while it is walked.
  for (let i = 0; i < dirtyCount; i++) {
    const flushable = dirty[i];
    dirty[i] = null;
    flushable?.flush();
  }
  dirtyCount = 0;
}

/** A chunk is being processed, until {@linkcode uncork}. */
export function cork(): void {
  reads++;
}

/** The chunk is done, whether or not it threw: everything that it made dirty goes out. */
export function uncork(): void {
  if (--reads === 0 && dirtyCount !== 0) flushAll();
}

/** Does what is not a chunk as if it were one: its output goes out together, at its end. */
export function corked(work: () => void): void {
  cork();
  try {
    work();
  } finally {
    uncork();
  }
}
