/**
 * When output goes out: what is written while a chunk is being processed goes at the end of that
 * chunk, and what is written at another time goes at the end of the microtask queue, in one write
 * per connection.
 *
 * @module
 */
import { Output } from "./protocol/output.ts";

/** Something with output that waits. */
export interface Flushable {
  /** Sends what waits. Never throws. */
  flush(): void;
}

/** How many idle outputs are kept for the next writers. */
const KEPT_OUTPUTS = 64;

const outputs: Output[] = [];
const dirty: Flushable[] = [];
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
  dirty.push(flushable);
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
  for (let i = 0; i < dirty.length; i++) dirty[i]?.flush();
  dirty.length = 0;
}

/** A chunk is being processed, until {@linkcode endRead}. */
export function beginRead(): void {
  reads++;
}

/** The chunk is done: everything that it made dirty goes out. */
export function endRead(): void {
  if (--reads === 0 && dirty.length !== 0) flushAll();
}
