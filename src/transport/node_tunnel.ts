/**
 * Connections through a proxy, with the sockets of Node. Deno and Bun have them too. Only these sockets
 * can start TLS inside TLS, for a `wss:` URL behind an `https:` proxy.
 *
 * @module
 */
import { toError } from "../guard.ts";
import { openSocket } from "./node_connect.ts";
import { NodeTransport } from "./node_socket.ts";
import type { NodeSocket } from "./node_types.ts";
import type { ConnectorOptions, Transport, Tunnel, TunnelHandshake } from "./transport.ts";

/** A connected socket that is read by calls instead of events. */
interface ReadableSocket extends NodeSocket {
  /** Takes all bytes that have arrived; `null` if there are none. */
  read(): Uint8Array | null;
  /** Puts bytes back. */
  unshift(bytes: Uint8Array): void;
  /** Removes a listener. */
  removeListener(event: string, listener: (argument: unknown) => void): unknown;
}

/**
 * Connects to a proxy, waits until it opens the tunnel, and starts TLS in the tunnel if required.
 *
 * @param tunnel The proxy.
 * @param options Where and how to connect.
 * @returns The connection. Rejects with Node's error, that of the tunnel's handshake, or the signal's
 * reason.
 * @throws {TypeError} If the runtime has no sockets of Node.
 */
export async function connectThrough(
  tunnel: Tunnel,
  options: ConnectorOptions,
): Promise<Transport> {
  const { hostname, port, tls, signal } = options;
  const { hostname: proxy, port: proxyPort, tls: proxyTls } = tunnel;
  const below = await openSocket({ hostname: proxy, port: proxyPort, tls: proxyTls, signal });
  try {
    await openTunnel(below as ReadableSocket, tunnel.handshake, signal);
    if (tls === undefined) return new NodeTransport(below, "tcp");
    const socket = await openSocket({ hostname, port, tls, signal, below });
    return new NodeTransport(socket, "tcp");
  } catch (error) {
    below.destroy();
    throw error;
  }
}

/** Performs the handshake with the proxy. After it, all bytes come from the host. */
function openTunnel(
  socket: ReadableSocket,
  handshake: TunnelHandshake,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (how: () => void): void => {
      signal?.removeEventListener("abort", giveUp);
      for (const [event, listener] of Object.entries(listeners)) {
        socket.removeListener(event, listener);
      }
      how();
    };
    const fail = (error: unknown): void => settle(() => reject(toError(error)));
    const giveUp = (): void => fail(signal?.reason);
    const closed = (): void => fail(new Error("the proxy closed the connection before its answer"));
    const listeners = {
      // With a `data` listener, bytes of the host could arrive before the transport reads them.
      readable: () => {
        try {
          if (readAnswers(socket, handshake)) settle(resolve);
        } catch (error) {
          fail(error);
        }
      },
      error: fail,
      end: closed,
      close: closed,
    };
    if (signal?.aborted) return giveUp();
    signal?.addEventListener("abort", giveUp, { once: true });
    for (const [event, listener] of Object.entries(listeners)) socket.on(event, listener);
    socket.write(handshake.request);
  });
}

/** Reads the bytes that have arrived, and sends the answer. Returns whether the tunnel is open. */
function readAnswers(socket: ReadableSocket, handshake: TunnelHandshake): boolean {
  for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
    for (let rest = chunk; rest.length > 0;) {
      const answer = handshake.read(rest);
      rest = rest.subarray(handshake.consumed);
      if (answer === "open") {
        if (rest.length > 0) socket.unshift(rest);
        return true;
      }
      if (answer !== undefined) socket.write(answer);
    }
  }
  return false;
}
