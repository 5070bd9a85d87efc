/**
 * Connects with the adapter of the runtime.
 *
 * @module
 */
import { connect as connectWithBun } from "./bun_connect.ts";
import { connect as connectWithDeno } from "./deno_connect.ts";
import { connect as connectWithNode } from "./node_connect.ts";
import { connectThrough } from "./node_tunnel.ts";
import type { ConnectorOptions, Transport } from "./transport.ts";

/**
 * Connects with the sockets of the runtime, or through a proxy with those of Node. The caller must set
 * the transport's `events` before it awaits anything.
 *
 * @param options Where and how to connect.
 * @returns The connection; with TLS, after the handshake. Rejects with the runtime's error
 * (`ECONNREFUSED`), or with the signal's reason.
 * @throws {TypeError} If the runtime does not support an option, or has no sockets.
 */
export function connect(options: ConnectorOptions): Promise<Transport> {
  if (options.tunnel !== undefined) return connectThrough(options.tunnel, options);
  // Deno and Bun have Node's modules too, so they are checked first.
  if ("Deno" in globalThis) return connectWithDeno(options);
  if ("Bun" in globalThis) return connectWithBun(options);
  return connectWithNode(options);
}
