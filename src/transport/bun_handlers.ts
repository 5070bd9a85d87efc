/**
 * The handlers of Bun's sockets, for servers and clients.
 *
 * @module
 */
import { type BunSocket, BunTransport, peerOf } from "./bun_socket.ts";
import { DeferredWork } from "./deferred_work.ts";
import type { Acceptor, Address, TlsGate, TlsHandshake } from "./transport.ts";

/** The handlers that `Bun.listen` takes as `socket`. */
export interface BunSocketHandlers {
  /** A connection was made. */
  open(socket: BunSocket): void;
  /** Bytes have arrived. */
  data(socket: BunSocket, chunk: Uint8Array): void;
  /** The socket can be written again. */
  drain(socket: BunSocket): void;
  /** The peer has sent FIN. */
  end(socket: BunSocket): void;
  /** The socket is closed. */
  close(socket: BunSocket, error?: Error): void;
  /** The TLS handshake succeeded or failed. */
  handshake?(socket: BunSocket, success: boolean, error?: Error | null): void;
}

/** The object in a socket's `data`. */
interface SocketOwner {
  received(chunk: Uint8Array): void;
  writable(): void;
  peerEnded(): void;
  gone(error: Error | undefined): void;
}

// All connections share these functions, which find the owner in the socket's `data`.
const handlers = {
  data(socket: BunSocket, chunk: Uint8Array): void {
    (socket.data as SocketOwner).received(chunk);
  },
  drain(socket: BunSocket): void {
    (socket.data as SocketOwner | undefined)?.writable();
  },
  end(socket: BunSocket): void {
    (socket.data as SocketOwner | undefined)?.peerEnded();
  },
  close(socket: BunSocket, error?: Error): void {
    (socket.data as SocketOwner | undefined)?.gone(error);
  },
};

/** The owner of a refused connection. */
const refused: SocketOwner = {
  received(): void {},
  writable(): void {},
  peerEnded(): void {},
  gone(): void {},
};

/** The owner of a connection during its TLS handshake. */
class Handshaking implements SocketOwner {
  readonly #handshake: TlsHandshake;
  readonly #peer: Address;

  constructor(handshake: TlsHandshake, peer: Address) {
    this.#handshake = handshake;
    this.#peer = peer;
  }

  received(): void {}

  writable(): void {}

  peerEnded(): void {}

  gone(error: Error | undefined): void {
    this.#handshake.failed(
      error ?? new Error("TLS handshake failed: the client closed the connection"),
    );
  }

  succeeded(socket: BunSocket): void {
    const transport = new BunTransport(socket, true, this.#peer);
    socket.data = transport;
    this.#handshake.accepted(transport);
  }

  failed(socket: BunSocket, error: Error | null | undefined): void {
    socket.data = refused;
    this.#handshake.failed(error ?? new Error("TLS handshake failed"));
    socket.terminate();
  }
}

/**
 * The handlers of connections without TLS.
 *
 * @param path See {@linkcode peerOf}.
 */
export function plainHandlers(accept: Acceptor, path?: string): BunSocketHandlers {
  const work = new DeferredWork();
  return {
    ...handlers,
    open(socket): void {
      const peer = peerOf(socket, path);
      if (peer === undefined) return refuse(socket);
      const transport = new BunTransport(socket, false, peer);
      transport.work = work;
      socket.data = transport;
      accept(transport);
    },
  };
}

/**
 * The handlers of connections with TLS.
 *
 * @param path See {@linkcode peerOf}.
 */
export function secureHandlers(
  gate: TlsGate,
  path?: string,
): BunSocketHandlers & Required<Pick<BunSocketHandlers, "handshake">> {
  return {
    ...handlers,
    open(socket): void {
      const found = peerOf(socket, path);
      if (found === undefined) return refuse(socket);
      const peer: Address = { port: socket.remotePort ?? 0, ...found };
      const handshake = gate.begin(peer, () => socket.terminate());
      if (handshake === undefined) return refuse(socket);
      socket.data = new Handshaking(handshake, peer);
    },
    handshake(socket, success, error): void {
      const { data } = socket;
      if (!(data instanceof Handshaking)) return;
      if (success) data.succeeded(socket);
      else data.failed(socket, error);
    },
  };
}

function refuse(socket: BunSocket): void {
  socket.data = refused;
  socket.terminate();
}
