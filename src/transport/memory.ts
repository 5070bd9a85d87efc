/**
 * Two transports connected in memory, for tests without ports and clocks. Each end receives what
 * the other writes, in chunks of any size and with any delay.
 *
 * Each delivery is a task, and tasks run in the order of their causes. So a test always has the
 * same result.
 *
 * @module
 */
import { noEvents } from "./no_events.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Address, Transport, TransportEvents } from "./transport.ts";

/** Options of {@linkcode memoryPair}. */
export interface MemoryPairOptions {
  /**
   * Runs a task later. Must keep the order of tasks. It can delay them
   * (`(task) => setTimeout(task, 20)`) or hold them. Default: `queueMicrotask`.
   */
  readonly schedule?: (task: () => void) => void;
  /**
   * The largest chunk in bytes, or a function that returns it for a number of available bytes.
   * Default: all available bytes.
   */
  readonly split?: number | ((available: number) => number);
  /** How many bytes may be in flight before `bufferedAmount` grows. Default: 64 KiB. */
  readonly capacity?: number;
  /** Whether chunks may be kept. If not, they are overwritten after `data`. Default: `true`. */
  readonly transfersChunks?: boolean;
  /** The value of `secure` at both ends. Default: `false`. */
  readonly secure?: boolean;
  /** The addresses of the two ends. Default: TCP on 127.0.0.1. */
  readonly addresses?: readonly [Address, Address];
}

const DEFAULT_ADDRESSES: readonly [Address, Address] = [
  { transport: "tcp", hostname: "127.0.0.1", port: 8888 },
  { transport: "tcp", hostname: "127.0.0.1", port: 50000 },
];

/**
 * Makes two transports that are connected to each other.
 *
 * - If a receiver is paused, the writer's `bufferedAmount` grows beyond `capacity`.
 * - `destroy` resets the connection. Bytes in flight are lost, and `closed` at the other end gets
 *   an error with the code `ECONNRESET`.
 */
export function memoryPair(options: MemoryPairOptions = {}): [MemoryTransport, MemoryTransport] {
  const [first, second] = options.addresses ?? DEFAULT_ADDRESSES;
  const ends: [MemoryTransport, MemoryTransport] = [
    new MemoryTransport(options, first, second),
    new MemoryTransport(options, second, first),
  ];
  ends[0].join(ends[1]);
  return ends;
}

/** One end of a {@linkcode memoryPair}. */
export class MemoryTransport implements Transport {
  readonly transfersChunks: boolean;
  readonly secure: boolean;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  /** The last argument of `setNoDelay`. */
  noDelay = true;
  /** The last argument of `setKeepAlive`. */
  keepAlive = false;

  readonly #schedule: (task: () => void) => void;
  readonly #split: (available: number) => number;
  readonly #capacity: number;
  #peer: MemoryTransport = this;
  #events = noEvents;
  #input: "flowing" | "paused" | "ended" | "closed" = "flowing";
  #output: "open" | "ended" | "closed" = "open";
  /** Bytes that this end has written and the other has not received. */
  #queue = new ByteQueue();
  /** Whether `drain` is due because a write left bytes in `bufferedAmount`. */
  #blocked = false;
  /** Whether a delivery to this end is scheduled. */
  #awake = false;

  /** Called by {@linkcode memoryPair}. */
  constructor(options: MemoryPairOptions, localAddress: Address, remoteAddress: Address) {
    const { split = Infinity } = options;
    this.#schedule = options.schedule ?? ((task) => queueMicrotask(task));
    this.#split = typeof split === "number" ? () => split : split;
    this.#capacity = options.capacity ?? 65536;
    this.transfersChunks = options.transfersChunks ?? true;
    this.secure = options.secure ?? false;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  /** Makes `peer` the other end. */
  join(peer: MemoryTransport): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  get events(): TransportEvents {
    return this.#events;
  }

  set events(events: TransportEvents) {
    this.#events = events;
    this.#wake();
  }

  get bufferedAmount(): number {
    return Math.max(0, this.#queue.size - this.#capacity);
  }

  write(bytes: Uint8Array, stable: boolean): void {
    if (this.#output !== "open" || bytes.length === 0) return;
    this.#queue.push(bytes, stable);
    if (this.bufferedAmount > 0) this.#blocked = true;
    this.#peer.#wake();
  }

  release(chunk: Uint8Array): void {
    chunk.fill(0xee);
  }

  pause(): void {
    if (this.#input === "flowing") this.#input = "paused";
  }

  resume(): void {
    if (this.#input !== "paused") return;
    this.#input = "flowing";
    this.#wake();
  }

  end(): void {
    if (this.#output !== "open") return;
    this.#output = "ended";
    this.#peer.#wake();
    this.#schedule(() => this.#closeIfOver());
  }

  destroy(): void {
    if (this.#input === "closed") return;
    this.#release();
    this.#schedule(() => this.#events.closed());
    this.#schedule(() => this.#peer.#reset());
  }

  setNoDelay(on: boolean): void {
    this.noDelay = on;
  }

  setKeepAlive(on: boolean): void {
    this.keepAlive = on;
  }

  #wake(): void {
    if (this.#awake || this.#input !== "flowing" || this.#events === noEvents) return;
    if (this.#peer.#queue.size === 0 && this.#peer.#output !== "ended") return;
    this.#awake = true;
    this.#schedule(() => {
      this.#awake = false;
      this.#receive();
    });
  }

  #receive(): void {
    if (this.#input !== "flowing") return;
    const available = this.#peer.#queue.size;
    if (available > 0) {
      const chunk = this.#peer.#take(Math.min(available, Math.max(1, this.#split(available))));
      this.#events.data(chunk);
      if (!this.transfersChunks) chunk.fill(0xee);
      this.#peer.#drainIfDue();
      this.#wake();
    } else if (this.#peer.#output === "ended") {
      this.#input = "ended";
      this.#events.end();
      this.#closeIfOver();
    }
  }

  /** Removes the oldest bytes that this end has written, and returns a copy. */
  #take(count: number): Uint8Array {
    const chunk = new Uint8Array(count);
    let filled = 0;
    while (filled < count) {
      const piece = this.#queue.shift(count - filled);
      if (piece === undefined) break;
      chunk.set(piece, filled);
      filled += piece.length;
    }
    return chunk;
  }

  #drainIfDue(): void {
    if (!this.#blocked || this.bufferedAmount > 0) return;
    this.#blocked = false;
    if (this.#output === "open") this.#events.drain();
    else this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#input !== "ended" || this.#output !== "ended" || this.bufferedAmount > 0) return;
    this.#input = "closed";
    // `#output` does not change: bytes in flight still arrive, and FIN after them.
    this.#events.closed();
  }

  #reset(): void {
    if (this.#input === "closed") return;
    this.#release();
    const error = new Error("The peer reset the connection (ECONNRESET)");
    this.#events.closed(Object.assign(error, { code: "ECONNRESET" }));
  }

  #release(): void {
    this.#input = "closed";
    this.#output = "closed";
    this.#blocked = false;
    this.#queue = new ByteQueue();
  }
}
