/**
 * What comes before the first byte of a connection: a listener asks for it, and the server reads it.
 *
 * @module
 */
import type { Http2Acceptor } from "./http2_listen.ts";
import type { Acceptor, Address, ProxiedTls, TlsGate } from "./transport.ts";

/** What a TCP proxy says about a connection before its first byte, and who serves the connection. */
export interface Introduction extends ProxiedTls {
  /** The client's address. `undefined` if the proxy does not say: then it is that of the socket. */
  readonly remoteAddress: Address | undefined;
  /** The address that the client connected to. `undefined` like `remoteAddress`. */
  readonly localAddress: Address | undefined;
  /** Whether the client uses TLS to the proxy. `undefined` if the proxy does not say. */
  readonly secure: boolean | undefined;
  /** How many bytes of the last chunk belong to it. */
  readonly consumed: number;
  /** Serves the connection, if the listener does not speak TLS. */
  readonly accept: Acceptor;
  /** Limits the TLS handshake that follows, if the listener speaks TLS. */
  readonly gate: TlsGate;
}

/** Reads what a proxy sends before the first byte of one connection. */
export interface PrefaceReader {
  /**
   * Reads a chunk.
   *
   * @returns What the proxy says; `undefined` while more is needed, and after a failure, which has
   * destroyed the connection.
   */
  receive(chunk: Uint8Array): Introduction | undefined;
  /** Called when the connection has ended. */
  gone(): void;
}

/** Reads what a proxy sends before the first byte of each connection. */
export interface Preface {
  /**
   * Begins with a connection.
   *
   * @param peer The address of the proxy.
   * @param destroy Closes the connection at once.
   * @returns `undefined` if the adapter must close the connection at once.
   */
  begin(peer: Address, destroy: () => void): PrefaceReader | undefined;
}

/** What a listener needs besides its options. */
export interface ListenerHooks {
  /** Limits TLS handshakes. Default: each may take 10 s. */
  readonly gate?: TlsGate | undefined;
  /** Reads what comes before each connection. Default: nothing does. */
  readonly preface?: Preface | undefined;
  /** Serves sessions of HTTP/2. */
  readonly http2?: Http2Acceptor | undefined;
}
