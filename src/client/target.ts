/**
 * What a WebSocket URL says: where to connect, and what to ask for there (RFC 6455 §3).
 *
 * @module
 */

/** A WebSocket URL, taken apart. */
export interface Target {
  /** The URL, for messages. */
  readonly href: string;
  /** Whether it asks for TLS. */
  readonly secure: boolean;
  /** The name or address to connect to; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
  /** What `Host` says: the host, and the port unless it is the scheme's own. */
  readonly host: string;
  /** Path and query. */
  readonly resourceName: string;
}

/** `http` and `https` are taken as `ws` and `wss`, so that one base URL serves both. */
const IS_SECURE: Readonly<Record<string, boolean>> = {
  "ws:": false,
  "http:": false,
  "wss:": true,
  "https:": true,
};

/**
 * Takes a URL apart.
 *
 * @throws {TypeError} If it is no URL, of another scheme, or has a fragment or a user name.
 */
export function parseTarget(url: string | URL): Target {
  if (!URL.canParse(url)) throw cannot(url, "it is no absolute URL");
  const { protocol, username, password, hash, host, hostname, port, pathname, search } = new URL(
    url,
  );
  const secure = IS_SECURE[protocol];
  if (secure === undefined) throw cannot(url, "its scheme must be ws or wss (RFC 6455 §3)");
  if (hash !== "" || String(url).endsWith("#")) {
    throw cannot(url, "it must not have a fragment (RFC 6455 §3)");
  }
  if (username !== "" || password !== "") {
    throw cannot(url, "it must not have a user name (RFC 6455 §3); send an Authorization header");
  }
  const resourceName = pathname + search;
  return {
    href: `${secure ? "wss" : "ws"}://${host}${resourceName}`,
    secure,
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    host,
    resourceName,
  };
}

function cannot(url: string | URL, because: string): TypeError {
  // A password is not for logs.
  const shown = String(url).replace(/\/\/[^/?#]*@/, "//");
  return new TypeError(`Cannot connect to ${JSON.stringify(shown)}: ${because}`);
}
