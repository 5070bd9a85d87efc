/**
 * Listeners of Deno.
 *
 * @module
 */
import { addressOf, type DenoAddress, type DenoConn, DenoTransport } from "./deno_conn.ts";
import { toError } from "../guard.ts";
import { reportError } from "./report_error.ts";
import {
  checkOwnTls,
  notRenewable,
  notSecure,
  refusedCredentials,
  type ResolvedListenerOptions,
  resolveListenerOptions,
} from "./listener_options.ts";
import { acceptProxied } from "./proxied_transport.ts";
import { openGate } from "./tls_gate.ts";
import type { ListenerHooks } from "./preface.ts";
import type { Acceptor, Address, Listener, ListenerOptions, TlsGate } from "./transport.ts";

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
  /** Exists only with `--unstable-net`. */
  readonly listenDatagram?: unknown;
}

/** How long to wait before the next accept if file descriptors run out, in milliseconds. */
const ACCEPT_PAUSE = 100;

/**
 * Listens with `Deno.listen` or `Deno.listenTls`.
 *
 * @throws See `listen` in `deno.ts`.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  hooks: ListenerHooks = {},
): Listener {
  const { Deno } = globalThis as { Deno?: DenoNamespace };
  if (Deno === undefined) throw new TypeError("Cannot listen with Deno.listen: this is not Deno");
  const resolved = resolveListenerOptions(options);
  if (resolved.fd !== undefined) {
    throw new TypeError("Cannot listen with Deno.listen: it takes no fd; use Application.listen");
  }
  const { gate = openGate(accept, options.onError), preface } = hooks;
  checkOwnTls(options, "Deno.listenTls");
  return new AcceptLoop(bind(Deno, resolved), options, {
    accept: preface === undefined ? accept : acceptProxied(preface),
    gate,
  });
}

function bind(Deno: DenoNamespace, resolved: ResolvedListenerOptions): DenoListener {
  const { hostname, port, path, reusePort, tls } = resolved;
  if (path !== undefined) {
    if (tls !== undefined) {
      throw new TypeError(`Cannot listen on ${path}: Deno has no TLS on unix sockets`);
    }
    return Deno.listen({ transport: "unix", path });
  }
  if (reusePort && Deno.listenDatagram === undefined) {
    // Without the flag, Deno ends the process instead of throwing.
    throw new TypeError("Cannot listen with reusePort: Deno offers it only with --unstable-net");
  }
  const where = { hostname, port, reusePort };
  if (tls === undefined) return Deno.listen(where);
  try {
    return Deno.listenTls({ ...where, cert: tls.cert, key: tls.key });
  } catch (error) {
    // These are errors of rustls about the certificate or key. System errors have other names.
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
  readonly #gate: TlsGate;
  #closed = false;
  readonly #onConn = (conn: DenoConn): void => {
    this.#next();
    if (conn.handshake === undefined) this.#accept(new DenoTransport(conn));
    else this.#handshake(conn, conn.handshake);
  };
  readonly #onError = (error: unknown): void => {
    if (this.#closed) return;
    const { name } = error as { name?: unknown };
    // The client has closed the connection already. This is no error of the listener.
    if (name === "ConnectionAborted" || name === "NotConnected") return this.#next();
    reportError(this.#options.onError, error);
    // Out of descriptors or memory: the next accept would fail at once.
    setTimeout(() => this.#next(), ACCEPT_PAUSE);
  };

  constructor(
    listener: DenoListener,
    options: ListenerOptions,
    { accept, gate }: { readonly accept: Acceptor; readonly gate: TlsGate },
  ) {
    this.#listener = listener;
    this.#options = options;
    this.#accept = accept;
    this.#gate = gate;
    this.address = addressOf(listener.addr);
    this.#next();
  }

  #next(): void {
    if (!this.#closed) this.#listener.accept().then(this.#onConn, this.#onError);
  }

  #handshake(conn: DenoConn, finish: () => Promise<unknown>): void {
    const handshake = this.#gate.begin(addressOf(conn.remoteAddr), () => closeQuietly(conn));
    if (handshake === undefined) return closeQuietly(conn);
    finish.call(conn).then(() => handshake.accepted(new DenoTransport(conn)), (error) => {
      closeQuietly(conn);
      handshake.failed(error);
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

  setCertificate(): void {
    throw "cert" in this.#options ? notRenewable("Deno.listenTls") : notSecure();
  }
}

function closeQuietly(closable: { close(): void }): void {
  try {
    closable.close();
  } catch {
    // BadResource: already closed.
  }
}
