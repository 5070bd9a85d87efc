/**
 * Listens with the adapter of the runtime.
 *
 * @module
 */
import { listen as listenWithBun } from "./bun_listen.ts";
import { listen as listenWithDeno } from "./deno_listen.ts";
import { listen as listenWithNode } from "./node_listen.ts";
import { needsNodeTls } from "./listener_options.ts";
import type { ListenerHooks } from "./preface.ts";
import type { Acceptor, Listener, ListenerOptions } from "./transport.ts";

export type { Http2Acceptor } from "./http2_listen.ts";
export { LISTENER_KINDS } from "./listener_options.ts";
export type { Introduction, PrefaceReader } from "./preface.ts";

/**
 * Listens with the sockets of the runtime.
 *
 * @param options Where and how to listen.
 * @param accept Called for each connection; with TLS, after the handshake.
 * @param hooks The limits of TLS handshakes, and what comes before a connection.
 * @throws {Error} If the address cannot be bound, with the runtime's `code` (`EADDRINUSE`). If the
 * runtime binds later, `listening` rejects with it instead.
 * @throws {TypeError} If an option is wrong, or the runtime does not support it or has no sockets.
 * @throws {RangeError} If the port is out of range.
 */
export function listen(
  options: ListenerOptions,
  accept: Acceptor,
  hooks: ListenerHooks = {},
): Listener {
  // Deno.listen takes no descriptor, and Bun.listen does not tell its address then.
  if (options.fd !== undefined || needsNodeTls(options, hooks)) {
    return listenWithNode(options, accept, hooks);
  }
  // Deno and Bun have Node's modules too, so they are checked first.
  if ("Deno" in globalThis) return listenWithDeno(options, accept, hooks);
  if ("Bun" in globalThis) return listenWithBun(options, accept, hooks);
  return listenWithNode(options, accept, hooks);
}
