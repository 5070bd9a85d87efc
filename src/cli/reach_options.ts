/**
 * Converts the command line to the options of `websocketConnect`.
 *
 * @module
 */
import { messageOf } from "../guard.ts";
import type { ConnectOptions } from "../client/options.ts";
import { proxyFromEnvironment } from "../client/proxy_environment.ts";
import type { TlsOptions } from "../transport/transport.ts";
import { type Identity, type Reach, UsageError } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Returns the options of `websocketConnect`. Reads the files.
 *
 * @throws {UsageError} If a file cannot be read.
 */
export function connectOptions(reach: Reach, terminal: Terminal): ConnectOptions {
  const { headers, subprotocols, origin, proxy, maxRedirects, timeout, url } = reach;
  const tls = tlsOptions(reach, terminal);
  const usesTls = /^(?:wss|https):/i.test(url) || maxRedirects > 0;
  if (!usesTls && Object.keys(tls).length > 0) {
    throw new UsageError("--ca, --insecure, --cert and --key need a wss URL");
  }
  return {
    headers: headers.map(([name, value]) => [name, value]),
    subprotocols,
    handshakeTimeout: timeout,
    ...(origin === undefined ? {} : { origin }),
    ...(maxRedirects === 0 ? {} : { maxRedirects }),
    ...(usesTls ? { tls } : {}),
    ...(proxy === undefined ? {} : {
      proxy: proxy === "env" ? proxyFromEnvironment : proxy,
      proxyTls: withoutIdentity(tls),
    }),
  };
}

function tlsOptions({ ca, insecure, identity }: Reach, terminal: Terminal): TlsOptions {
  return {
    ...(ca === undefined ? {} : { ca: readFile(ca, terminal) }),
    ...(insecure ? { insecure } : {}),
    ...(identity === undefined ? {} : credentials(identity, terminal)),
  };
}

/** Removes the client certificate: it is for the server, not for the proxy. */
function withoutIdentity({ cert: _, key: __, ...tls }: TlsOptions): TlsOptions {
  return tls;
}

/** Reads a certificate and its key. @throws {UsageError} If a file cannot be read. */
export function credentials(
  { cert, key }: Identity,
  terminal: Terminal,
): { readonly cert: string; readonly key: string } {
  return { cert: readFile(cert, terminal), key: readFile(key, terminal) };
}

function readFile(path: string, terminal: Terminal): string {
  try {
    return terminal.readFile(path);
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
  }
}
