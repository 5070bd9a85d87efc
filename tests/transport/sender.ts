/**
 * Writes to a transport in these tests.
 *
 * @module
 */
import { assert, assertLess } from "@std/assert";
import type { InternalTransport } from "../../src/transport/transport.ts";
import { Pattern } from "./pattern.ts";
import type { Recorder } from "./recorder.ts";

/** More bytes than fit into the buffers of both kernels and of the peer's runtime. */
export const TOO_MUCH: number = 24 * 1024 * 1024;
/** 1 MiB. */
export const MIB: number = 1024 * 1024;

/** Sends the pattern through the transport in pieces of any size, some stable and some not. */
export class Sender {
  readonly #pattern = new Pattern();
  readonly #recorder: Recorder;
  #starts = false;

  /** @param recorder Whose transport it writes to. */
  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** How many bytes were written. */
  get sent(): number {
    return this.#pattern.position;
  }

  /** Writes the next `length` bytes; unstable ones are overwritten as soon as `write` returns. */
  write(length: number, stable: boolean): void {
    const bytes = this.#pattern.take(length);
    if (stable) return this.#recorder.act((transport) => transport.write(bytes, true));
    const padded = new Uint8Array(length + 7).fill(0xee);
    padded.set(bytes);
    this.#recorder.act((transport: InternalTransport) => {
      // Every second time, uses `writeStart` if the transport has it.
      this.#starts = !this.#starts;
      if (this.#starts && transport.writeStart) transport.writeStart(padded, length);
      else transport.write(padded.subarray(0, length), false);
    });
    padded.fill(0);
  }

  /** Writes until `bufferedAmount` is above `amount`. The peer must not read. */
  fill(amount: number): void {
    const { transport } = this.#recorder;
    for (let i = 0; transport.bufferedAmount <= amount; i++) {
      const before = transport.bufferedAmount;
      this.write(100_000 + i, i % 2 === 0);
      assert(transport.bufferedAmount <= before + 100_000 + i, "bufferedAmount grew by too much");
      assertLess(this.sent, 400 * MIB);
    }
  }
}
