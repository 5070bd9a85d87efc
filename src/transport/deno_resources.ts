/**
 * The buffers that all connections of a process share on Deno, and the limiter of their writes.
 *
 * @module
 */
import { BufferPool } from "./buffer_pool.ts";
import { WriteLimiter } from "./write_limiter.ts";

/** How many connections may wait with a large buffer (8 MiB in all). */
const MAX_LARGE_BUFFERS = 128;

/** The shared buffers and the limiter of writes. */
export class DenoResources {
  /**
   * Deno has one queue of pending writes for all connections. To 10,000 connections at once, a
   * write takes 6.5 µs with the limiter and 13.8 without.
   */
  readonly limiter: WriteLimiter = new WriteLimiter();
  /** For idle connections. */
  readonly small: BufferPool = new BufferPool(512, 128, 4096);
  /** For most messages. */
  readonly medium: BufferPool = new BufferPool(8 * 1024, 8, 256);
  /** For large messages. Even for 64 KiB, a new buffer costs three times as much as a copy. */
  readonly large: BufferPool = new BufferPool(64 * 1024, 1, 64);

  /**
   * Returns the pool for the next read. A pending read holds its buffer while the peer is silent,
   * so an idle connection should hold a small one. A read that fills its buffer gets a larger one
   * next. A read that fits the next smaller buffer gets that one next.
   *
   * @param pool The pool of the last read.
   * @param count How many bytes were read.
   * @param size The size of its buffer.
   */
  next(pool: BufferPool, count: number, size: number): BufferPool {
    const { small, medium, large } = this;
    if (pool === small) return count === size ? medium : small;
    if (pool === large) return count < medium.size ? medium : large;
    if (count < small.size) return small;
    return count === size && large.lent < MAX_LARGE_BUFFERS ? large : medium;
  }

  /** Returns the pool for a write of `length` bytes; `undefined` if they need memory of their own. */
  forWrite(length: number): BufferPool | undefined {
    if (length > this.large.size) return undefined;
    return length > this.medium.size ? this.large : this.medium;
  }

  /** Takes back a buffer of any pool. */
  give(buffer: Uint8Array): void {
    if (buffer.length === this.small.size) this.small.give(buffer);
    else if (buffer.length === this.medium.size) this.medium.give(buffer);
    else this.large.give(buffer);
  }
}
