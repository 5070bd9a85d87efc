/**
 * Connections that are shut down together: those of one listener, of one attachment, or of
 * `Application.accept`.
 *
 * @module
 */
import type { Refusal } from "../errors.ts";
import { checkCloseCode } from "../protocol/close_frame.ts";
import type { Transport } from "../transport/transport.ts";
import { checkOptions, type Kind, TIME } from "../validation.ts";
import type { Arrival, Context, Owned, Owner } from "./context.ts";
import { IndexedSet } from "./indexed_set.ts";
import { ServerConnection } from "./server_connection.ts";

/** The delay of a timer that only keeps the process alive, in milliseconds. */
const HOLD = 2 ** 31 - 1;

/**
 * The options of a shutdown, of an `Application`, a {@linkcode Server} or an `Attachment`.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 *
 * const server = new Application([]).listen({ port: 0 });
 * await server.shutdown({ code: 1012, reason: "a new version", timeout: 10_000 });
 * ```
 */
export interface ShutdownOptions {
  /** The close code for all connections. Default: 1001, "going away". */
  readonly code?: number;
  /** The close reason. Default: none. */
  readonly reason?: string;
  /**
   * How long to wait for handlers and clients, in milliseconds. Then the remaining connections are
   * dropped. 0 waits for ever. Default: 5 s.
   */
  readonly timeout?: number;
}

const SHUTDOWN_KINDS: Readonly<Record<keyof ShutdownOptions, Kind>> = {
  code: { expected: "a close code", hasType: (value) => typeof value === "number" },
  reason: { expected: "a string", hasType: (value) => typeof value === "string" },
  timeout: TIME,
};

/**
 * Checks the options of a shutdown.
 *
 * @throws {TypeError} If an option is unknown or has the wrong type.
 * @throws {RangeError} If the code or the reason cannot be sent, or the timeout is out of range.
 */
export function checkShutdownOptions(options: ShutdownOptions): Required<ShutdownOptions> {
  checkOptions(options, {
    kinds: SHUTDOWN_KINDS,
    noun: "shutdown option",
    subject: (name) => `Cannot shut down: ${name}`,
  });
  const { code = 1001, reason = "", timeout = 5000 } = options;
  checkCloseCode(code, reason);
  return { code, reason, timeout };
}

/** The connections of one listener or attachment. */
export class ConnectionGroup {
  /** The part of this group that its connections use. */
  readonly owner: Owner;
  readonly #context: Context;
  readonly #onStop: () => void;
  readonly #connections: IndexedSet<Owned> = new IndexedSet();
  readonly #finished: { promise: Promise<void>; resolve: () => void } = Promise.withResolvers();
  #stopping = false;
  /** Whether no connections will be added, so that the application can forget an empty group. */
  #retired = false;

  /**
   * @param context The application. Its shutdown shuts down this group too.
   * @param onStop Called when the shutdown begins.
   */
  constructor(context: Context, onStop: () => void = () => {}) {
    this.#context = context;
    this.#onStop = onStop;
    this.owner = this.#makeOwner();
    context.groups.add(this);
  }

  /** The number of connections, including those in the handshake. */
  get size(): number {
    return this.#connections.size;
  }

  /** Returns a copy of the connections, including those in the handshake. */
  connections(): Owned[] {
    return this.#connections.all();
  }

  /** Whether the shutdown has begun. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Resolves after the shutdown, when the last connection is closed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Serves a connection. */
  take(transport: Transport, arrival?: Arrival): void {
    const owned = this.#context.take(transport, this.owner, arrival);
    this.add(owned);
    // After `add`: a handler may shut this group down while it handles these bytes.
    if (arrival?.received !== undefined) transport.events.data(arrival.received);
    if (owned instanceof ServerConnection) arrival?.begin?.(owned);
  }

  /** Refuses a connection without reading its request, and closes it. */
  reject(transport: Transport, refusal: Refusal): void {
    this.add(this.#context.reject(transport, this.owner, { refusal }));
  }

  /** Adds a connection, which must call `owner.forget` at its end. */
  add(owned: Owned): void {
    this.#connections.add(owned);
  }

  /** Lets the application forget this group when its last connection is closed. */
  retire(): void {
    this.#retired = true;
    this.#finishIfEmpty();
  }

  /** See `Server.shutdown`. */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { code, reason, timeout } = checkShutdownOptions(options);
    if (!this.#stopping) {
      this.#stopping = true;
      this.#onStop();
      for (const connection of this.#connections.all()) connection.shutdown(code, reason);
      this.#finishIfEmpty();
    }
    const { clock } = this.#context.settings;
    const dropTimer = timeout === 0 ? undefined : clock.setTimeout(() => {
      for (const connection of this.#connections.all()) connection.terminate();
    }, timeout);
    // Neither the clock nor, on Node, a paused socket keeps the process alive.
    const hold = setInterval(() => {}, HOLD);
    await this.finished;
    await this.#context.topics.presence?.idle();
    clearInterval(hold);
    if (dropTimer !== undefined) clock.clearTimeout(dropTimer);
  }

  #makeOwner(): Owner {
    const isStopping = () => this.#stopping;
    return {
      get stopping() {
        return isStopping();
      },
      forget: (owned) => {
        this.#connections.delete(owned);
        this.#finishIfEmpty();
      },
    };
  }

  #finishIfEmpty(): void {
    if (this.#connections.size > 0) return;
    if (this.#stopping || this.#retired) {
      this.#context.wheel.rest();
      this.#context.groups.delete(this);
    }
    if (this.#stopping) this.#finished.resolve();
  }
}
