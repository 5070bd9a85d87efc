/**
 * A listener and its connections.
 *
 * @module
 */
import { guard, toError } from "../guard.ts";
import { ConnectionGroup, type ShutdownOptions } from "./connection_group.ts";
import type { Context } from "./context.ts";
import type { PendingHeader } from "./proxy_headers.ts";
import type { PendingHandshake } from "./tls_handshakes.ts";
import { Http2Session } from "./http2_session.ts";
import { serveAnyStream } from "./stream_connection.ts";
import { type Http2Acceptor, listen, LISTENER_KINDS } from "../transport/listen.ts";
import type {
  Address,
  Credentials,
  HostCredentials,
  Listener,
  ListenerOptions,
} from "../transport/transport.ts";
import { checkOptions, FUNCTION, type Kind, show, SIGNAL } from "../validation.ts";
import { defaultSettings } from "./settings.ts";

/**
 * The options of `Application.listen`. The names are those of `Deno.serve`.
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
  /** The TCP port, as a number or a string of digits. With 0 the system chooses one. Default: 0. */
  readonly port?: number | string;
  /** Shuts down the server when it aborts. */
  readonly signal?: AbortSignal;
  /** Called with the address, once the server listens. */
  readonly onListen?: (address: Address) => void;
}

const LISTEN_KINDS: Readonly<Record<keyof ListenOptions, Kind | undefined>> = {
  ...LISTENER_KINDS,
  signal: SIGNAL,
  onListen: FUNCTION,
};

/** {@linkcode ListenOptions} after the check. */
type CheckedListenOptions = Omit<ListenOptions, "port"> & { readonly port?: number };

/**
 * Checks the argument of `Application.listen`.
 *
 * @throws {TypeError} If it is neither a port nor options, or an option is unknown or has the wrong
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

/**
 * A server that listens. `await using` shuts it down at the end of the block.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 *
 * await using server = new Application([]).listen({ port: 0 });
 * await server.listening;
 * assert(server.addr.port > 0);
 * ```
 */
export class Server implements AsyncDisposable {
  readonly #context: Context;
  readonly #listener: Listener;
  readonly #group: ConnectionGroup;
  readonly #onError: ListenOptions["onError"];

  /** Made by `Application.listen`. @ignore */
  constructor(context: Context, options: number | string | ListenOptions) {
    this.#context = context;
    const { signal, onListen, onError, ...rest } = toListenOptions(options);
    this.#onError = onError;
    this.#listener = listen(
      { ...rest, onError: (error) => this.#report("accept", error) },
      (transport) => this.#group.take(transport),
      {
        gate: { begin: (peer, destroy) => this.#beginTls(peer, destroy) },
        http2: rest.http2 === true ? this.#acceptHttp2() : undefined,
        preface: context.settings.proxyProtocol
          ? { begin: (peer, destroy) => this.#beginProxyHeader(peer, destroy) }
          : undefined,
      },
    );
    this.#group = new ConnectionGroup(context, () => this.#listener.close());
    this.#announce(onListen);
    this.#obey(signal);
  }

  /** The address it listens on. On Node, a host name is resolved when `listening` resolves. */
  get addr(): Address {
    return this.#listener.address;
  }

  /** Resolves when the server listens; rejects if it cannot. Safe to ignore. */
  get listening(): Promise<void> {
    return this.#listener.listening;
  }

  /** Resolves after the shutdown, when the last connection is closed. */
  get finished(): Promise<void> {
    return this.#group.finished;
  }

  /** Whether {@linkcode shutdown} was called. */
  get stopping(): boolean {
    return this.#group.stopping;
  }

  /**
   * Shuts down: stops listening, waits until handlers have handled all messages that were read, and
   * closes every connection. After the timeout, it drops the remaining ones. A second call only adds
   * its own timeout.
   *
   * @returns A promise that resolves when all connections are closed and `onClose()` has settled.
   * @throws {TypeError} If an option is unknown or has the wrong type.
   * @throws {RangeError} If the code or the reason cannot be sent, or the timeout is out of range.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    await this.#group.shutdown(options);
  }

  /** Shuts down with the default options. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /**
   * Replaces a certificate. New connections get the new one, open connections go on.
   *
   * On Deno and Bun, `listen` needs the option `renewable`, `certificates` or `ca` for this.
   *
   * @param certificate The certificate chain and its key in PEM. With a `hostname`, they are those of
   * that name (see the option `certificates`); without, those of all other names.
   * @throws {TypeError} If they are not usable, or the listener cannot replace them. The old ones stay.
   *
   * @example
   * ```ts ignore
   * import { readFileSync } from "node:fs";
   *
   * process.on("SIGHUP", () => {
   *   try {
   *     server.setCertificate({
   *       cert: readFileSync("fullchain.pem", "utf8"),
   *       key: readFileSync("privkey.pem", "utf8"),
   *     });
   *   } catch (error) {
   *     console.error(error);
   *   }
   * });
   * ```
   */
  setCertificate(certificate: Credentials | HostCredentials): void {
    this.#listener.setCertificate(certificate);
  }

  /** Lets the process exit while the server listens. */
  unref(): void {
    this.#listener.unref();
  }

  #beginProxyHeader(peer: Address, destroy: () => void): PendingHeader | undefined {
    const pending = this.#context.beginProxyHeader(peer, this.#group.owner, {
      destroy,
      accept: (transport, timeLeft) => this.#group.take(transport, { timeLeft }),
      beginTls: (peer, destroy, timeLeft) => this.#beginTls(peer, destroy, timeLeft),
    });
    if (pending !== undefined) this.#group.add(pending);
    return pending;
  }

  #beginTls(peer: Address, destroy: () => void, timeLeft?: number): PendingHandshake | undefined {
    const pending = this.#context.beginTls(peer, this.#group.owner, {
      timeLeft,
      destroy,
      accept: (transport, timeLeft) => this.#group.take(transport, { timeLeft }),
      fail: (error) => this.#report("tls", error),
    });
    if (pending !== undefined) this.#group.add(pending);
    return pending;
  }

  #acceptHttp2(): Http2Acceptor {
    const sessions = new WeakMap<object, Http2Session>();
    return {
      session: (session, destroy) => {
        const owners = { context: this.#context, group: this.#group };
        sessions.set(session, new Http2Session(owners, session, destroy));
      },
      stream: (stream, fields) => {
        if (stream.session !== undefined) sessions.get(stream.session)?.opened(stream);
        serveAnyStream(this.#group, { stream, fields });
      },
    };
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
      if (this.stopping) return;
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
