/**
 * Listens with the adapter of the runtime.
 *
 * @module
 */
import { listen as listenWithBun } from "./bun_listen.ts";
import { listen as listenWithDeno } from "./deno_listen.ts";
import { listen as listenWithNode, type NodeListenInner as ListenInner } from "./node_listen.ts";
import type { Acceptor, Listener, ListenerOptions } from "./transport.ts";

export type { Http2Acceptor } from "./http2_listen.ts";
export { LISTENER_KINDS } from "./listener_options.ts";

/**
 * Listens with the sockets of the runtime.
 *
 * @param options Where and how to listen.
 * @param accept Called for each connection; with TLS, after the handshake.
 * @param inner The limits of TLS handshakes. Default: each may take 10 s.
 * @throws {Error} If the address cannot be bound, with the runtime's `code` (`EADDRINUSE`). If the
 * runtime binds later, `listening` rejects with it instead.
 * @throws {TypeError} If an option is wrong, or the runtime does not support it or has no sockets.
 * @throws {RangeError} If the port is out of range.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  inner: ListenInner = {},
): Listener {
  // Deno.listen takes no descriptor, and Bun.listen does not tell its address then.
  // Only node:tls has connections that node:http2 takes over.
  if (options.fd !== undefined || options.http2 === true) {
    return listenWithNode(options, accept, inner);
  }
  // Deno and Bun have Node's modules too, so they are checked first.
  if ("Deno" in globalThis) return listenWithDeno(options, accept, inner);
  if ("Bun" in globalThis) return listenWithBun(options, accept, inner);
  return listenWithNode(options, accept, inner);
}
