/**
 * The request for a tunnel through an HTTP proxy (RFC 9110 §9.3.6). No I/O.
 *
 * @module
 */
import { ProtocolError, quote } from "../errors.ts";
import type { TunnelHandshake } from "../transport/transport.ts";
import type { HeadLimits, HeadReader } from "./head_reader.ts";
import { encodeLatin1 } from "./latin1.ts";
import { ProxyError } from "./proxy_error.ts";
import type { ProxyCredentials } from "./proxy_url.ts";
import type { ResponseHead } from "./response_head.ts";
import { responseReader } from "./status_line.ts";

/** The target of a tunnel. */
export interface TunnelTarget {
  /** The name or address; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
}

/** The status of a proxy that wants credentials (RFC 9110 §15.5.8). */
const PROXY_AUTHENTICATION_REQUIRED = 407;

/** One request for a tunnel. */
export class ProxyConnect implements TunnelHandshake {
  /** See {@linkcode TunnelHandshake.request}. */
  readonly request: Uint8Array;
  /** See {@linkcode TunnelHandshake.consumed}. */
  consumed = 0;
  readonly #reader: HeadReader<ResponseHead>;

  /**
   * @param target The target of the tunnel.
   * @param limits The limits of the response's head.
   * @param credentials The credentials for Basic authentication; `undefined` for none.
   */
  constructor(target: TunnelTarget, limits: HeadLimits, credentials?: ProxyCredentials) {
    this.request = encodeLatin1(requestHead(target, credentials));
    this.#reader = responseReader(limits);
  }

  /** See {@linkcode TunnelHandshake.read}. @throws {ProxyError} If the proxy opens no tunnel. */
  read(chunk: Uint8Array): "open" | undefined {
    try {
      return this.#read(chunk);
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause;
      throw new ProxyError(cause.message, { cause });
    }
  }

  #read(chunk: Uint8Array): "open" | undefined {
    this.consumed = 0;
    let head: ResponseHead | undefined;
    do {
      head = this.#reader.read(chunk.subarray(this.consumed));
      this.consumed += this.#reader.consumed;
      // Interim responses come before the answer (RFC 9110 §15.2).
    } while (head !== undefined && head.status < 200);
    if (head === undefined) return undefined;
    if (head.status > 299) throw refusal(head);
    // A Content-Length or Transfer-Encoding is ignored: the tunnel begins after the head.
    return "open";
  }
}

function refusal({ status, statusLine }: ResponseHead): ProxyError {
  return new ProxyError(
    `the status must be 2xx, got ${quote(statusLine)} (RFC 9110 §9.3.6)`,
    { status, refusesCredentials: status === PROXY_AUTHENTICATION_REQUIRED },
  );
}

function requestHead({ hostname, port }: TunnelTarget, credentials?: ProxyCredentials): string {
  const authority = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
    (credentials === undefined ? "" : `Proxy-Authorization: Basic ${basic(credentials)}\r\n`) +
    "\r\n";
}

/** Encodes credentials (RFC 7617 §2), as UTF-8 (§2.1). */
function basic({ username, password }: ProxyCredentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
