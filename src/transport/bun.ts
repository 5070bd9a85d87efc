/**
 * Bun's own TCP, TLS and unix sockets, for those who own the listener.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { bunSocketHandlers } from "@waterspout/websocket/bun";
 *
 * const app = new Application([]);
 * Bun.listen({
 *   hostname: "0.0.0.0",
 *   port: 8888,
 *   allowHalfOpen: true,
 *   socket: bunSocketHandlers((transport) => app.accept(transport)),
 * });
 * ```
 *
 * @module
 */
import { type BunSocket, BunTransport } from "./bun_socket.ts";
import { tellError } from "./events.ts";
import { refusedCredentials, resolveListenerOptions } from "./listener_options.ts";
import type { Acceptor, Address, Listener, ListenerOptions } from "./transport.ts";

export type { BunSocket } from "./bun_socket.ts";
export type {
  Acceptor,
  Address,
  Listener,
  ListenerOptions,
  Transport,
  TransportEvents,
} from "./transport.ts";

/** The handlers that `Bun.listen` takes as `socket`. */
export interface BunSocketHandlers {
  /** A connection was made. */
  open(socket: BunSocket): void;
  /** Bytes have arrived. */
  data(socket: BunSocket, chunk: Uint8Array): void;
  /** The socket takes bytes again. */
  drain(socket: BunSocket): void;
  /** The peer has sent FIN. */
  end(socket: BunSocket): void;
  /** The connection is gone. */
  close(socket: BunSocket, error?: Error): void;
  /** The TLS handshake is over. */
  handshake?(socket: BunSocket, success: boolean, error?: Error | null): void;
  /** The TLS handshake has taken too long. */
  timeout?(socket: BunSocket): void;
}

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

/** How long a TLS handshake may take, in seconds. */
const TLS_HANDSHAKE_TIMEOUT = 10;

/** How {@linkcode bunSocketHandlers} works. */
export interface BunSocketHandlersOptions {
  /** Whether the listener has `tls`; then a connection is accepted after its TLS handshake. */
  readonly secure?: boolean;
  /** Told of a TLS handshake that failed. */
  readonly onError?: (error: Error) => void;
}

/**
 * Makes what `Bun.listen` takes as `socket`. Listen with `allowHalfOpen: true`, and leave the
 * sockets' `data` alone: it holds the transport.
 *
 * @param accept Called for each connection.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { bunSocketHandlers } from "@waterspout/websocket/bun";
 *
 * const app = new Application([]);
 * const socket = bunSocketHandlers((transport) => app.accept(transport), { secure: true });
 * Bun.listen({ hostname: "0.0.0.0", port: 8443, allowHalfOpen: true, tls: { cert, key }, socket });
 * ```
 */
export function bunSocketHandlers(
  accept: Acceptor,
  { secure = false, onError }: BunSocketHandlersOptions = {},
): BunSocketHandlers {
  const open = (socket: BunSocket): void => {
    const transport = new BunTransport(socket, secure);
    socket.data = transport;
    accept(transport);
  };
  return secure ? { ...handlers, ...tlsHandlers(open, onError) } : { ...handlers, open };
}

// One set of functions for all connections: each finds its transport in the socket's `data`.
const handlers = {
  data(socket: BunSocket, chunk: Uint8Array): void {
    (socket.data as BunTransport).received(chunk);
  },
  drain(socket: BunSocket): void {
    (socket.data as BunTransport | undefined)?.writable();
  },
  end(socket: BunSocket): void {
    (socket.data as BunTransport | undefined)?.peerEnded();
  },
  close(socket: BunSocket, error?: Error): void {
    (socket.data as BunTransport | undefined)?.gone(error);
  },
};

function tlsHandlers(
  accepted: (socket: BunSocket) => void,
  onError: ((error: Error) => void) | undefined,
): Pick<Required<BunSocketHandlers>, "open" | "handshake" | "timeout"> {
  return {
    open(socket): void {
      socket.timeout(TLS_HANDSHAKE_TIMEOUT);
    },
    handshake(socket, success, error): void {
      if (success) {
        socket.timeout(0);
        accepted(socket);
      } else {
        const failure = error ?? new Error("Cannot accept a connection: its TLS handshake failed");
        tellError(onError, failure);
        socket.terminate();
      }
    },
    timeout(socket): void {
      // `handshake` is called then, with the failure.
      socket.terminate();
    },
  };
}

/**
 * Listens with `Bun.listen`.
 *
 * @param options Where and how.
 * @param accept Called for each connection, with TLS after its handshake.
 * @throws {Error} If the runtime cannot bind, with its own `code` (`EADDRINUSE`).
 * @throws {TypeError} If an option is wrong, or this is not Bun.
 *
 * @example
 * ```ts ignore
 * import { Application } from "@waterspout/websocket";
 * import { listen } from "@waterspout/websocket/bun";
 *
 * const app = new Application([]);
 * const listener = listen({ port: 0 }, (transport) => app.accept(transport));
 * await listener.listening;
 * listener.close();
 * ```
 */
export function listen(options: ListenerOptions, accept: Acceptor): Listener {
  const { Bun } = globalThis as { Bun?: BunNamespace };
  if (Bun === undefined) throw new TypeError("Cannot listen with Bun.listen: this is not Bun");
  const { hostname, port, path, reusePort, tls } = resolveListenerOptions(options);
  const { onError } = options;
  const secure = tls !== undefined;
  const listener = bind(Bun, {
    ...(path === undefined ? { hostname, port, reusePort } : { unix: path }),
    ...(secure ? { tls } : {}),
    allowHalfOpen: true,
    socket: bunSocketHandlers(accept, onError === undefined ? { secure } : { secure, onError }),
  });
  return new BunListenerAdapter(listener, path);
}

function bind(bun: BunNamespace, options: BunListenOptions): BunListener {
  try {
    return bun.listen(options);
  } catch (error) {
    // BoringSSL has read the certificate or key; what the system refuses has codes such as EACCES.
    const { code } = error as { code?: unknown };
    throw String(code).startsWith("ERR_OSSL") ? refusedCredentials(error) : error;
  }
}

class BunListenerAdapter implements Listener {
  readonly address: Address;
  readonly listening: Promise<void> = Promise.resolve();
  readonly #listener: BunListener;

  constructor(listener: BunListener, path: string | undefined) {
    this.#listener = listener;
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
}
