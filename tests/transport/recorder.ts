/**
 * Handles a transport's events in these tests: checks the received bytes and the rules of the
 * transport interface.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import type { InternalTransport, TransportEvents } from "../../src/transport/transport.ts";
import { Pattern } from "./pattern.ts";

/** How long a test waits before it fails, in milliseconds. */
const PATIENCE = 60_000;

/** State that changes. Tests can wait for a change. */
export class Watched {
  readonly #watchers = new Set<() => void>();

  /** Reports a change to all who wait. */
  changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves when `reached()` is true. Rejects after a timeout; `what` is in the message. */
  until(reached: () => boolean, what: string): Promise<void> {
    if (reached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const watcher = () => {
        if (reached()) settle(resolve);
      };
      const timer = setTimeout(
        () => settle(() => reject(new Error(`Waited in vain for ${what}`))),
        PATIENCE,
      );
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        then();
      };
      this.#watchers.add(watcher);
    });
  }
}

/** Receives one transport's events. */
export class Recorder extends Watched implements TransportEvents {
  readonly transport: InternalTransport;
  /** Checks the bytes that arrive. */
  readonly expected: Pattern = new Pattern();
  /** How many bytes have arrived. */
  received = 0;
  /** The size of each chunk. */
  readonly sizes: number[] = [];
  /** How often `drain` was called. */
  drains = 0;
  ended = false;
  gone = false;
  error: Error | undefined;
  /** The broken rules. Must stay empty. */
  readonly problems: string[] = [];
  /** Called with each chunk, after it is checked. */
  onData: (chunk: Uint8Array) => void = () => {};
  #acting = false;
  readonly #kept: { readonly chunk: Uint8Array; readonly copy: Uint8Array }[] = [];

  constructor(transport: InternalTransport) {
    super();
    this.transport = transport;
    transport.events = this;
  }

  /** Calls the transport. An event during the call breaks a rule. */
  act(action: (transport: InternalTransport) => void): void {
    const outer = this.#acting;
    this.#acting = true;
    action(this.transport);
    this.#acting = outer;
  }

  /** Waits a short time, to see that nothing wrong happens. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Fails if a rule was broken. */
  check(): void {
    for (const { chunk, copy } of this.#kept) {
      if (Buffer.compare(chunk, copy) !== 0) this.problems.push("a kept chunk changed");
    }
    assertEquals(this.problems, []);
  }

  data(chunk: Uint8Array): void {
    this.#event("data");
    if (this.ended) this.problems.push("data after end");
    if (chunk.length === 0) this.problems.push("an empty chunk");
    this.received += chunk.length;
    this.sizes.push(chunk.length);
    if (!this.expected.check(chunk)) this.problems.push(`wrong bytes before ${this.received}`);
    if (this.transport.transfersChunks && this.#kept.length < 100) {
      this.#kept.push({ chunk, copy: chunk.slice() });
    }
    this.onData(chunk);
    this.changed();
  }

  drain(): void {
    this.#event("drain");
    if (this.transport.bufferedAmount !== 0) this.problems.push("drain with bytes left");
    this.drains++;
    this.changed();
  }

  end(): void {
    this.#event("end");
    if (this.ended) this.problems.push("end twice");
    this.ended = true;
    this.changed();
  }

  closed(error?: Error): void {
    this.#event("closed");
    this.gone = true;
    this.error = error;
    this.changed();
  }

  #event(name: string): void {
    if (this.gone) this.problems.push(`${name} after closed`);
    if (this.#acting) this.problems.push(`${name} from inside a call`);
  }
}
