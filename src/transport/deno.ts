/**
 * Deno's own TCP, TLS and unix sockets, for those who own the listener.
 *
 * Deno 2.9 keeps the descriptor of a TLS connection that was closed during its handshake, or with
 * output that the peer does not take, until the peer goes on or is gone.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { denoTransport } from "@waterspout/websocket/deno";
 *
 * const app = new Application([]);
 * for await (const conn of Deno.listen({ port: 8888 })) app.accept(denoTransport(conn));
 * ```
 *
 * @module
 */
import { addressOf, type DenoAddress, type DenoConn, DenoTransport } from "./deno_conn.ts";
import { toError } from "../guard.ts";
import { tellError } from "./events.ts";
import { refusedCredentials, resolveListenerOptions } from "./listener_options.ts";
import type { Acceptor, Address, Listener, ListenerOptions, Transport } from "./transport.ts";

export type { DenoAddress, DenoConn } from "./deno_conn.ts";
export type {
  Acceptor,
  Address,
  Listener,
  ListenerOptions,
  Transport,
  TransportEvents,
} from "./transport.ts";

/** The part of `Deno.Listener` that is used. */
interface DenoListener {
  readonly addr: DenoAddress;
  accept(): Promise<DenoConn>;
  close(): void;
  unref(): void;
}

interface DenoListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly reusePort: boolean;
}

/** The part of the `Deno` namespace that is used. */
interface DenoNamespace {
  listen(options: DenoListenOptions | { transport: "unix"; path: string }): DenoListener;
  listenTls(options: DenoListenOptions & { cert: string; key: string }): DenoListener;
  /** Only there with `--unstable-net`. */
  readonly listenDatagram?: unknown;
}

/** How long a TLS handshake may take, in milliseconds. */
const TLS_HANDSHAKE_TIMEOUT = 10_000;
/** How long to wait with the next accept when there are no more file descriptors, in milliseconds. */
const ACCEPT_PAUSE = 100;

/**
 * Makes a {@linkcode Transport} of a connection of Deno. It reads once its `events` are set.
 *
 * @param conn A connected `Deno.TcpConn`, `Deno.TlsConn` or `Deno.UnixConn`, which nothing else
 * reads or writes. Its TCP_NODELAY is set.
 *
 * @example
 * ```ts
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 * import { denoTransport } from "@waterspout/websocket/deno";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Sink]]);
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const { port } = listener.addr as Deno.NetAddr;
 * listener.accept().then((conn) => app.accept(denoTransport(conn)));
 * await using connection = await websocketConnect(`ws://127.0.0.1:${port}/`);
 * console.assert(connection.version === "rfc6455");
 * ```
 */
export function denoTransport(conn: DenoConn): Transport {
  return new DenoTransport(conn);
}

/**
 * Listens with `Deno.listen` or `Deno.listenTls`.
 *
 * @param options Where and how.
 * @param accept Called for each connection, with TLS after its handshake.
 * @throws {Error} If the runtime cannot bind, with its own `code` (`EADDRINUSE`).
 * @throws {TypeError} If an option is wrong, this is not Deno, `reusePort` is used without `--unstable-net`, or TLS on
 * a unix socket.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import { listen } from "@waterspout/websocket/deno";
 *
 * const app = new Application([]);
 * const listener = listen({ port: 0 }, (transport) => app.accept(transport));
 * await listener.listening;
 * listener.close();
 * ```
 */
export function listen(options: ListenerOptions, accept: Acceptor): Listener {
  return new AcceptLoop(bind(options), options, accept);
}

function bind(options: ListenerOptions): DenoListener {
  const { Deno } = globalThis as { Deno?: DenoNamespace };
  if (Deno === undefined) throw new TypeError("Cannot listen with Deno.listen: this is not Deno");
  const { hostname, port, path, reusePort, tls } = resolveListenerOptions(options);
  if (path !== undefined) {
    if (tls !== undefined) {
      throw new TypeError(`Cannot listen on ${path}: Deno has no TLS on unix sockets`);
    }
    return Deno.listen({ transport: "unix", path });
  }
  if (reusePort && Deno.listenDatagram === undefined) {
    // Deno would not throw: it ends the process.
    throw new TypeError("Cannot listen with reusePort: Deno offers it only with --unstable-net");
  }
  const where = { hostname, port, reusePort };
  if (tls === undefined) return Deno.listen(where);
  try {
    return Deno.listenTls({ ...where, ...tls });
  } catch (error) {
    // rustls has read the certificate or key; the system's refusals have classes of their own.
    const { name } = toError(error);
    throw name === "InvalidData" || name === "Error" ? refusedCredentials(error) : error;
  }
}

class AcceptLoop implements Listener {
  readonly address: Address;
  readonly listening: Promise<void> = Promise.resolve();
  readonly #listener: DenoListener;
  readonly #options: ListenerOptions;
  readonly #accept: Acceptor;
  #closed = false;
  readonly #onConn = (conn: DenoConn): void => {
    this.#next();
    if (conn.handshake === undefined) this.#accept(new DenoTransport(conn));
    else this.#handshake(conn, conn.handshake());
  };
  readonly #onError = (error: unknown): void => {
    if (this.#closed) return;
    const { name } = error as { name?: unknown };
    // The client is gone already: neither worth a word nor a pause, of which others would suffer.
    if (name === "ConnectionAborted" || name === "NotConnected") return this.#next();
    tellError(this.#options.onError, error);
    // Out of descriptors or memory: accepting would fail again at once, and spin.
    setTimeout(() => this.#next(), ACCEPT_PAUSE);
  };

  constructor(listener: DenoListener, options: ListenerOptions, accept: Acceptor) {
    this.#listener = listener;
    this.#options = options;
    this.#accept = accept;
    this.address = addressOf(listener.addr);
    this.#next();
  }

  #next(): void {
    if (!this.#closed) this.#listener.accept().then(this.#onConn, this.#onError);
  }

  #handshake(conn: DenoConn, done: Promise<unknown>): void {
    const timer = setTimeout(() => closeQuietly(conn), TLS_HANDSHAKE_TIMEOUT);
    done.then(() => {
      clearTimeout(timer);
      this.#accept(new DenoTransport(conn));
    }, (error) => {
      clearTimeout(timer);
      closeQuietly(conn);
      tellError(this.#options.onError, error);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeQuietly(this.#listener);
  }

  unref(): void {
    if (!this.#closed) this.#listener.unref();
  }
}

function closeQuietly(closable: { close(): void }): void {
  try {
    closable.close();
  } catch {
    // BadResource: it is closed already.
  }
}
