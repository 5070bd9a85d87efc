/**
 * Copies bytes that the caller may change after a write, for sockets of Node.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { copyBytes } from "./copy_bytes.ts";
import type { NodeSocket, WriteCallback } from "./node_types.ts";

/** The part of `node:buffer` that is used. */
interface BufferModule {
  readonly Buffer: { allocUnsafeSlow(size: number): Uint8Array<ArrayBuffer> };
}

const SIZE = 64 * 1024;

/** A buffer for the pending writes of all sockets, one after the other. */
export class WriteSlab {
  /** A `Buffer`, since a stream would make one for each write, which takes 25 ns. */
  #bytes = new Uint8Array(0);
  /** How many bytes pending writes use. */
  #used = 0;

  /** Writes a copy of the first `length` bytes. */
  write(socket: NodeSocket, bytes: Uint8Array, length: number, callback?: WriteCallback): void {
    if (length > SIZE / 2) {
      socket.write(new Uint8Array(bytes.subarray(0, length)), callback);
      return;
    }
    if (this.#used + length > this.#bytes.length) {
      const { Buffer } = requireBuiltin<BufferModule>("node:buffer", "write");
      this.#bytes = Buffer.allocUnsafeSlow(SIZE);
      this.#used = 0;
    }
    const slab = this.#bytes;
    const at = this.#used;
    const end = at + length;
    copyBytes(bytes, length, slab, at);
    // Before the write, which may call code that writes to another socket.
    this.#used = end;
    socket.write(slab.subarray(at, end), callback);
    // If the system accepted all bytes, the next write may use the same place.
    if (socket.writableLength === 0 && this.#used === end && this.#bytes === slab) this.#used = at;
  }
}
