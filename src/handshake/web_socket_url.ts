/**
 * WebSocket URLs (RFC 6455 §3).
 *
 * @module
 */

/** The parts of a WebSocket URL. */
export interface WebSocketUrl {
  /** The URL, for messages. */
  readonly href: string;
  /** Whether its scheme asks for TLS. */
  readonly secure: boolean;
  /** The name or address to connect to; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
  /** The value of `Host`: the host, and the port unless it is the scheme's default. */
  readonly host: string;
  /** Path and query. */
  readonly resourceName: string;
}

/** `http` and `https` stand for `ws` and `wss`, so that one base URL serves both. */
const IS_SECURE: Readonly<Record<string, boolean>> = {
  "ws:": false,
  "http:": false,
  "wss:": true,
  "https:": true,
};

/**
 * Parses a URL.
 *
 * @throws {TypeError} If it is no URL, of another scheme, or has a fragment or a user name.
 */
export function parseWebSocketUrl(url: string | URL): WebSocketUrl {
  if (!URL.canParse(url)) throw cannot(url, "not an absolute URL");
  const { protocol, username, password, hash, host, hostname, port, pathname, search } = new URL(
    url,
  );
  const secure = IS_SECURE[protocol];
  if (secure === undefined) throw cannot(url, "the scheme must be ws or wss (RFC 6455 §3)");
  if (hash !== "" || String(url).endsWith("#")) {
    throw cannot(url, "a fragment is not allowed (RFC 6455 §3)");
  }
  if (username !== "" || password !== "") {
    throw cannot(url, "a user name is not allowed (RFC 6455 §3); send an Authorization header");
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
  // Without the password, which must not appear in logs.
  const shown = String(url).replace(/\/\/[^/?#]*@/, "//");
  return new TypeError(`Cannot connect to ${JSON.stringify(shown)}: ${because}`);
}

/** The port that a URL leaves out: the scheme's default, or an empty one. */
const DEFAULT_PORT = { ws: /:(?:0*80)?$/, wss: /:(?:0*443)?$/ } as const;

/**
 * The URL in the response of draft75 and draft76 (§3.2), which a client compares with its own. It has
 * no default port, even if a proxy sends one in `Host`.
 *
 * @param scheme The scheme that the client used. Behind a proxy only the application knows it.
 * @param host The request's `Host`, with its port if it has one.
 * @param resourceName The path and query, as they were sent.
 */
export function webSocketLocation(
  scheme: "ws" | "wss",
  { host, resourceName }: { readonly host: string; readonly resourceName: string },
): string {
  return `${scheme}://${host.replace(DEFAULT_PORT[scheme], "")}${resourceName}`;
}
