/**
 * Two transports joined in memory, for tests without ports and clocks: what one end writes the
 * other receives, in pieces of any size, later, or not at all while it does not read.
 *
 * Every delivery is a task of its own, in the order of what caused it, so that a test that passes
 * once passes always.
 *
 * @module
 */
import { noEvents } from "./no_events.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Address, Transport, TransportEvents } from "./transport.ts";

/** How the ends of a {@linkcode memoryPair} are joined. */
export interface MemoryPairOptions {
  /**
   * Runs a task later, and tasks in the order they come; `queueMicrotask` unless told. It makes
   * delays (`(task) => setTimeout(task, 20)`) and stops time ({@linkcode Steps}).
   */
  readonly schedule?: (task: () => void) => void;
  /**
   * How many bytes each chunk has at most, or a function that says it of how many are there; all
   * that is there unless told.
   */
  readonly split?: number | ((available: number) => number);
  /** How many bytes the link takes before `bufferedAmount` grows; 65536 unless told. */
  readonly capacity?: number;
  /** Whether chunks may be kept; true unless told. If not, they are overwritten after `data`. */
  readonly transfersChunks?: boolean;
  /** Whether the ends say that they are TLS; false unless told. */
  readonly secure?: boolean;
  /** The addresses of the two ends; TCP on 127.0.0.1 unless told. */
  readonly addresses?: readonly [Address, Address];
}

/** Tasks that wait until a test runs them: give its `schedule` to {@linkcode memoryPair}. */
export class Steps {
  readonly #tasks: (() => void)[] = [];

  /** Puts a task behind the others. */
  readonly schedule = (task: () => void): void => {
    this.#tasks.push(task);
  };

  /** Runs the next task; returns whether there was one. */
  step(): boolean {
    const task = this.#tasks.shift();
    task?.();
    return task !== undefined;
  }

  /** Runs tasks until none is left, those that they schedule included. */
  run(): void {
    while (this.step());
  }
}

const DEFAULT_ADDRESSES: readonly [Address, Address] = [
  { transport: "tcp", hostname: "127.0.0.1", port: 8888 },
  { transport: "tcp", hostname: "127.0.0.1", port: 50000 },
];

/**
 * Joins two transports in memory.
 *
 * - A receiver that is paused stalls the writer: beyond `capacity`, its `bufferedAmount` grows.
 * - `destroy` resets the connection: what is under way is lost, and the other end's `closed` has an
 *   error with the code `ECONNRESET`.
 *
 * @param options How they are joined.
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
  /** What `setNoDelay` was last told. */
  noDelay = true;
  /** What `setKeepAlive` was last told. */
  keepAlive = false;

  readonly #schedule: (task: () => void) => void;
  readonly #split: (available: number) => number;
  readonly #capacity: number;
  #peer: MemoryTransport = this;
  #events = noEvents;
  #input: "flowing" | "paused" | "ended" | "closed" = "flowing";
  #output: "open" | "ended" | "closed" = "open";
  /** What this end has written and the other has not received. */
  #queue = new ByteQueue();
  /** Whether a write has left something in `bufferedAmount`, so that `drain` is due. */
  #blocked = false;
  /** Whether a task to deliver to this end is scheduled. */
  #awake = false;

  /** Use {@linkcode memoryPair}, which joins two. */
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

  /** Takes the oldest bytes that this end has written, as a copy. */
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
    // `#output` stays: what the link has taken still arrives, and FIN behind it.
    this.#events.closed();
  }

  #reset(): void {
    if (this.#input === "closed") return;
    this.#release();
    const error = new Error("The peer has reset the connection (ECONNRESET)");
    this.#events.closed(Object.assign(error, { code: "ECONNRESET" }));
  }

  #release(): void {
    this.#input = "closed";
    this.#output = "closed";
    this.#blocked = false;
    this.#queue = new ByteQueue();
  }
}
