/**
 * A transport that notes what it is told, and of which a test says how much output waits.
 *
 * @module
 */
import type { Address, Transport, TransportEvents } from "../../src/transport/transport.ts";

const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };

/** Tells in `calls` what was called: `write N`, `end`, `destroy`. */
export class RecordedTransport implements Transport {
  readonly calls: string[] = [];
  readonly written: Uint8Array[] = [];
  events: TransportEvents = { data: () => {}, drain: () => {}, end: () => {}, closed: () => {} };
  bufferedAmount = 0;
  /** Whether what is written waits. */
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

  /** Takes what was called so far. */
  take(): string[] {
    return this.calls.splice(0);
  }
}
