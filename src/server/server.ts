/**
 * A listener and its connections.
 *
 * @module
 */
import { guard, toError } from "../guard.ts";
import type { Context, Owned, Owner } from "./context.ts";
import { checkCloseCode } from "../protocol/close_frame.ts";
import { IndexedSet } from "./indexed_set.ts";
import type { PendingHandshake } from "./tls_handshakes.ts";
import { listen, LISTENER_KINDS } from "../transport/listen.ts";
import type { Address, Listener, ListenerOptions, Transport } from "../transport/transport.ts";
import { checkOptions, FUNCTION, type Kind, show, SIGNAL, TIME } from "../validation.ts";
import { defaultSettings } from "./settings.ts";

/**
 * Where and how `Application.listen` listens, as `Deno.serve` takes it. Times are milliseconds.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 *
 * const abort = new AbortController();
 * const server = new Application([]).listen({
 *   hostname: "127.0.0.1",
 *   port: 0,
 *   signal: abort.signal,
 *   onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}/`),
 * });
 * await server.listening;
 * abort.abort();
 * await server.finished;
 * ```
 */
export interface ListenOptions extends Omit<ListenerOptions, "port"> {
  /** The TCP port, also as `process.env` has it; 0 lets the system choose. Default: 0. */
  readonly port?: number | string;
  /** Shuts the server down when it aborts. */
  readonly signal?: AbortSignal;
  /** Called once the server listens, to say where. */
  readonly onListen?: (address: Address) => void;
}

const LISTEN_KINDS: Readonly<Record<keyof ListenOptions, Kind | undefined>> = {
  ...LISTENER_KINDS,
  signal: SIGNAL,
  onListen: FUNCTION,
};

/** {@linkcode ListenOptions}, checked. */
type CheckedListenOptions = Omit<ListenOptions, "port"> & { readonly port?: number };

/**
 * What `Application.listen` was given, as options.
 *
 * @throws {TypeError} If it is neither a port nor options, a name is unknown, or a value has a wrong
 * type.
 * @throws {RangeError} If the port is out of range.
 */
function toListenOptions(given: number | string | ListenOptions): CheckedListenOptions {
  const options: unknown = ["number", "string"].includes(typeof given) ? { port: given } : given;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot listen: expected a port or options, got ${show(options)}`);
  }
  checkOptions(options, {
    kinds: LISTEN_KINDS,
    noun: "listen option",
    subject: (name) => `Cannot listen: ${name}`,
    elsewhere: { names: Object.keys(defaultSettings), place: "the settings of Application" },
  });
  const { port, ...rest } = options as ListenOptions;
  return port === undefined ? rest : { ...rest, port: Number(port) };
}

/** A timer that holds the process, in milliseconds; it never fires. */
const HOLD = 2 ** 31 - 1;

/**
 * How {@linkcode Server.shutdown} ends the connections.
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
  /** The close code. Default: 1001, "going away". */
  readonly code?: number;
  /** The reason that goes with it. Default: none. */
  readonly reason?: string;
  /**
   * How long the peers and the handlers may take, in milliseconds; then the connections that are left
   * are dropped. 0 is for ever. Default: 5 s.
   */
  readonly timeout?: number;
}

const SHUTDOWN_KINDS: Readonly<Record<keyof ShutdownOptions, Kind>> = {
  code: { expected: "a close code", hasType: (value) => typeof value === "number" },
  reason: { expected: "a string", hasType: (value) => typeof value === "string" },
  timeout: TIME,
};

/**
 * A listening server. `await using` shuts it down at the end of the block.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 *
 * await using server = new Application([]).listen({ port: 0 });
 * await server.listening;
 * console.assert(server.addr.port > 0);
 * ```
 */
export class Server implements AsyncDisposable {
  readonly #context: Context;
  readonly #listener: Listener;
  readonly #connections: IndexedSet<Owned> = new IndexedSet();
  readonly #owner: Owner;
  readonly #finished: { promise: Promise<void>; resolve: () => void } = Promise.withResolvers();
  readonly #onError: ListenOptions["onError"];
  #stopping = false;

  /** Made by `Application.listen`. @ignore */
  constructor(context: Context, options: number | string | ListenOptions) {
    this.#context = context;
    this.#owner = this.#makeOwner();
    const { signal, onListen, onError, ...rest } = toListenOptions(options);
    this.#onError = onError;
    this.#listener = listen(
      { ...rest, onError: (error) => this.#report("accept", error) },
      (transport) => this.#accept(transport),
      { gate: { begin: (peer, destroy) => this.#beginTls(peer, destroy) } },
    );
    this.#announce(onListen);
    this.#obey(signal);
  }

  /** Where it listens. On Node, known at once for an IP address and after `listening` for a name. */
  get addr(): Address {
    return this.#listener.address;
  }

  /** Settles once it listens, or rejects with why it can't; safe to ignore. */
  get listening(): Promise<void> {
    return this.#listener.listening;
  }

  /** Resolves when it has stopped listening and its last connection is gone. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Whether it is shutting down, or has. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Stops listening, lets handlers that are busy settle, closes every connection in its version's
   * own way, and cuts off those that are left at the timeout. A second call is harmless; its timeout
   * counts too.
   *
   * @returns Resolves when the last connection is gone, and its `onClose()` has settled.
   * @throws {TypeError} If an option is unknown or has a wrong type.
   * @throws {RangeError} If the code or the reason cannot be sent, or the timeout is out of its range.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    checkOptions(options, {
      kinds: SHUTDOWN_KINDS,
      noun: "shutdown option",
      subject: (name) => `Cannot shut down: ${name}`,
    });
    const { code = 1001, reason = "", timeout = 5000 } = options;
    checkCloseCode(code, reason);
    if (!this.#stopping) {
      this.#stopping = true;
      this.#listener.close();
      for (const connection of this.#connections.all()) connection.shutdown(code, reason);
      this.#finishIfEmpty();
    }
    const { clock } = this.#context.settings;
    const cut = timeout === 0 ? undefined : clock.setTimeout(() => {
      for (const connection of this.#connections.all()) connection.terminate();
    }, timeout);
    // Neither the clock holds the process nor, on Node, a socket that is paused.
    const hold = setInterval(() => {}, HOLD);
    await this.finished;
    clearInterval(hold);
    if (cut !== undefined) clock.clearTimeout(cut);
  }

  /** Shuts down with the defaults. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Lets the process exit although the server listens. */
  unref(): void {
    this.#listener.unref();
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

  #accept(transport: Transport, timeLeft?: number): void {
    this.#connections.add(this.#context.take(transport, this.#owner, timeLeft));
  }

  #beginTls(peer: Address, destroy: () => void): PendingHandshake | undefined {
    const pending = this.#context.beginTls(peer, this.#owner, {
      destroy,
      accept: (transport, timeLeft) => this.#accept(transport, timeLeft),
      fail: (error) => this.#report("tls", error),
    });
    if (pending !== undefined) this.#connections.add(pending);
    return pending;
  }

  #finishIfEmpty(): void {
    if (!this.#stopping || this.#connections.size > 0) return;
    this.#context.wheel.rest();
    this.#finished.resolve();
  }

  #report(kind: "accept" | "tls", thrown: unknown): void {
    const error = toError(thrown);
    const onError = this.#onError;
    if (onError === undefined) {
      const what = kind === "tls"
        ? "Cannot finish a TLS handshake:"
        : "Cannot accept a connection:";
      return this.#context.limitedLog.write(kind, what, error);
    }
    guard(
      (): unknown => onError(error),
      (another) => this.#context.log("Uncaught exception in onError:", another),
    );
  }

  #announce(onListen: ListenOptions["onListen"]): void {
    this.listening.then(() => {
      if (this.#stopping) return;
      guard(
        (): unknown => onListen?.(this.addr),
        (error) => this.#context.log("Uncaught exception in onListen:", error),
      );
    }, (error) => this.#context.log("Cannot listen:", error));
  }

  #obey(signal: AbortSignal | undefined): void {
    const stop = () => void this.shutdown();
    if (signal === undefined) return;
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    void this.finished.then(() => signal.removeEventListener("abort", stop));
  }
}
