/**
 * Picks the adapter of the runtime.
 *
 * @module
 */
import { listen as listenWithBun } from "./bun_listen.ts";
import { listen as listenWithDeno } from "./deno_listen.ts";
import { listen as listenWithNode } from "./node_listen.ts";
import type { Acceptor, Listener, ListenerOptions, TlsGate } from "./transport.ts";

export { LISTENER_KINDS } from "./listener_options.ts";

/**
 * Listens with the runtime's own sockets.
 *
 * @param options Where and how.
 * @param accept Called for each connection, with TLS after its handshake.
 * @param inner Who decides on TLS handshakes; unless given, each may take 10 s.
 * @throws {Error} If the runtime cannot bind, with its own `code` (`EADDRINUSE`), where it tells at
 * once; else `listening` rejects with it.
 * @throws {TypeError} If an option is wrong or not to be had on this runtime, or it has no sockets.
 * @throws {RangeError} If the port is out of range.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  inner: { readonly gate?: TlsGate } = {},
): Listener {
  // Deno and Bun have Node's modules too, so theirs are asked for first.
  if ("Deno" in globalThis) return listenWithDeno(options, accept, inner);
  if ("Bun" in globalThis) return listenWithBun(options, accept, inner);
  return listenWithNode(options, accept, inner);
}
