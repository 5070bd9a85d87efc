/**
 * Listeners of Bun.
 *
 * @module
 */
import { type BunSocketHandlers, plainHandlers, secureHandlers } from "./bun_handlers.ts";
import {
  checkOwnTls,
  notRenewable,
  notSecure,
  refusedCredentials,
  resolveListenerOptions,
} from "./listener_options.ts";
import { acceptProxied } from "./proxied_transport.ts";
import { openGate } from "./tls_gate.ts";
import type { ListenerHooks } from "./preface.ts";
import type { Acceptor, Address, Listener, ListenerOptions } from "./transport.ts";

/** The part of Bun's listener that is used. */
interface BunListener {
  readonly hostname?: string;
  readonly port?: number;
  stop(): void;
  unref(): void;
}

interface BunListenOptions {
  readonly hostname?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly reusePort?: boolean;
  readonly allowHalfOpen: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly socket: BunSocketHandlers;
}

/** The part of the `Bun` namespace that is used. */
interface BunNamespace {
  listen(options: BunListenOptions): BunListener;
}

/**
 * Listens with `Bun.listen`.
 *
 * @throws See `listen` in `bun.ts`.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  hooks: ListenerHooks = {},
): Listener {
  const { Bun } = globalThis as { Bun?: BunNamespace };
  if (Bun === undefined) throw new TypeError("Cannot listen with Bun.listen: this is not Bun");
  const { hostname, port, path, fd, reusePort, tls } = resolveListenerOptions(options);
  if (fd !== undefined) {
    // Bun accepts a descriptor, but reports neither the kind of the socket nor its address.
    throw new TypeError("Cannot listen with Bun.listen on an fd: use Application.listen");
  }
  const { gate = openGate(accept, options.onError), preface } = hooks;
  checkOwnTls(options, "Bun.listen");
  const plainAccept = preface === undefined ? accept : acceptProxied(preface);
  const listener = bind(Bun, {
    ...(path === undefined ? { hostname, port, reusePort } : { unix: path }),
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    allowHalfOpen: true,
    socket: tls === undefined ? plainHandlers(plainAccept) : secureHandlers(gate),
  });
  return new BunListenerAdapter(listener, path, tls !== undefined);
}

function bind(bun: BunNamespace, options: BunListenOptions): BunListener {
  try {
    return bun.listen(options);
  } catch (error) {
    // Errors of BoringSSL are about the certificate or key. System errors have codes such as
    // EACCES.
    const { code } = error as { code?: unknown };
    throw String(code).startsWith("ERR_OSSL") ? refusedCredentials(error) : error;
  }
}

class BunListenerAdapter implements Listener {
  readonly address: Address;
  readonly listening: Promise<void> = Promise.resolve();
  readonly #listener: BunListener;
  readonly #isSecure: boolean;

  constructor(listener: BunListener, path: string | undefined, isSecure: boolean) {
    this.#listener = listener;
    this.#isSecure = isSecure;
    this.address = path === undefined
      ? { transport: "tcp", hostname: listener.hostname ?? "", port: listener.port ?? 0 }
      : { transport: "unix", hostname: path, port: 0 };
  }

  close(): void {
    this.#listener.stop();
  }

  unref(): void {
    this.#listener.unref();
  }

  setCertificate(): void {
    throw this.#isSecure ? notRenewable("Bun.listen") : notSecure();
  }
}
