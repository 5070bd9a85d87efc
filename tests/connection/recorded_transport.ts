/**
 * A transport that records its calls. A test sets how much output waits.
 *
 * @module
 */
import type { Address, Transport, TransportEvents } from "../../src/transport/transport.ts";

const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** `calls` has the calls: `write N`, `end`, `destroy`. */
export class RecordedTransport implements Transport {
  readonly calls: string[] = [];
  readonly written: Uint8Array[] = [];
  events: TransportEvents = { data: () => {}, drain: () => {}, end: () => {}, closed: () => {} };
  bufferedAmount = 0;
  /** Whether written bytes wait. */
  isStuck = false;
  readonly remoteAddress: Address = ADDRESS;
  readonly localAddress: Address = ADDRESS;
  readonly secure = false;

  write(bytes: Uint8Array, stable: boolean): void {
    this.calls.push(`write ${bytes.length}`);
    this.written.push(stable ? bytes : bytes.slice());
    if (this.isStuck) this.bufferedAmount += bytes.length;
  }
  end(): void {
    this.calls.push("end");
  }
  destroy(): void {
    this.calls.push("destroy");
  }
  pause(): void {}
  resume(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}

  /** Removes and returns the calls so far. */
  take(): string[] {
    return this.calls.splice(0);
  }
}
