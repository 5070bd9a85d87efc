/**
 * Picks the adapter of the runtime.
 *
 * @module
 */
import { listen as listenWithBun } from "./bun.ts";
import { listen as listenWithDeno } from "./deno.ts";
import { listen as listenWithNode } from "./node.ts";
import type { Acceptor, Listener, ListenerOptions } from "./transport.ts";

export { LISTENER_KINDS } from "./listener_options.ts";

/**
 * Listens with the runtime's own sockets.
 *
 * @param options Where and how.
 * @param accept Called for each connection, with TLS after its handshake.
 * @throws {Error} If the runtime cannot bind, with its own `code` (`EADDRINUSE`), where it tells at
 * once; else `listening` rejects with it.
 * @throws {TypeError} If an option is wrong or not to be had on this runtime, or it has no sockets.
 * @throws {RangeError} If the port is out of range.
 */
export function listen(options: ListenerOptions, accept: Acceptor): Listener {
  // Deno and Bun have Node's modules too, so theirs are asked for first.
  if ("Deno" in globalThis) return listenWithDeno(options, accept);
  if ("Bun" in globalThis) return listenWithBun(options, accept);
  return listenWithNode(options, accept);
}
