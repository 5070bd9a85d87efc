/**
 * Client sockets of Bun.
 *
 * @module
 */
import { type BunSocketHandlers, plainHandlers, secureHandlers } from "./bun_handlers.ts";
import type { BunSocket } from "./bun_socket.ts";
import { toError } from "../guard.ts";
import type { ConnectorOptions, TlsOptions, Transport } from "./transport.ts";

interface BunTlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly rejectUnauthorized: boolean;
}

interface BunConnectOptions {
  readonly hostname?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly allowHalfOpen: boolean;
  readonly tls?: BunTlsOptions;
  readonly socket: BunSocketHandlers;
}

/** The part of the `Bun` namespace that is used. */
interface BunNamespace {
  connect(options: BunConnectOptions): Promise<BunSocket>;
}

/**
 * Connects with `Bun.connect`.
 *
 * @param options Where and how to connect.
 * @returns The connection. Rejects with Bun's error, or with the signal's reason.
 * @throws {TypeError} If the runtime is not Bun.
 */
export function connect(options: ConnectorOptions): Promise<Transport> {
  const { Bun } = globalThis as { Bun?: BunNamespace };
  if (Bun === undefined) throw new TypeError("Cannot connect with Bun.connect: this is not Bun");
  const { hostname, port, path, tls, signal } = options;
  return new Promise((resolve, reject) => {
    let opened: BunSocket | undefined;
    const giveUp = (): void => {
      reject(toError(signal?.reason));
      opened?.terminate();
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    const connected = (transport: Transport): void => {
      signal?.removeEventListener("abort", giveUp);
      resolve(transport);
    };
    const handlers: BunSocketHandlers = tls === undefined
      ? plainHandlers(connected, path)
      : secureHandlers({
        begin: () => ({ accepted: connected, handedOver: () => false, failed: reject }),
      }, path);
    Bun.connect({
      ...(path === undefined ? { hostname, port } : { unix: path }),
      ...(tls === undefined ? {} : { tls: bunTls(tls) }),
      allowHalfOpen: true,
      socket: {
        ...handlers,
        open(socket): void {
          opened = socket;
          if (signal?.aborted) socket.terminate();
          else handlers.open(socket);
        },
        handshake(socket, success, error): void {
          // With `rejectUnauthorized: false`, Bun still fails if the certificate has another name.
          const accepted = success || (tls?.insecure === true && socket.getCipher().name !== null);
          handlers.handshake?.(socket, accepted, error);
        },
        close(socket, error): void {
          handlers.close(socket, error);
          // Does nothing if the promise was already resolved.
          reject(error ?? new Error("the server closed the connection"));
          signal?.removeEventListener("abort", giveUp);
        },
      },
    }).catch(reject);
  });
}

function bunTls({ insecure = false, ...options }: TlsOptions): BunTlsOptions {
  return { ...options, rejectUnauthorized: !insecure };
}
