/**
 * Picks the connecting side of the runtime's adapter.
 *
 * @module
 */
import { connect as connectWithBun } from "./bun_connect.ts";
import { connect as connectWithDeno } from "./deno_connect.ts";
import { connect as connectWithNode } from "./node_connect.ts";
import type { ConnectorOptions, Transport } from "./transport.ts";

/**
 * Connects with the runtime's own sockets. Whoever gets the transport sets its `events` before it
 * waits for anything.
 *
 * @param options Where and how.
 * @returns The connection, with TLS after its handshake; rejects with the runtime's error
 * (`ECONNREFUSED`), or with the signal's reason.
 * @throws {TypeError} If an option is not to be had on this runtime, or it has no sockets.
 */
export function connect(options: ConnectorOptions): Promise<Transport> {
  // Deno and Bun have Node's modules too, so theirs are asked for first.
  if ("Deno" in globalThis) return connectWithDeno(options);
  if ("Bun" in globalThis) return connectWithBun(options);
  return connectWithNode(options);
}
