/**
 * WebSocket URLs (RFC 6455 §3).
 *
 * @module
 */

/** The parts of a WebSocket URL. */
export interface WebSocketUrl {
  /** The URL, for error messages. */
  readonly href: string;
  /** Whether the scheme is `wss` or `https`. */
  readonly secure: boolean;
  /** The name or address to connect to; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
  /** The value of `Host`: the host, and the port unless it is the scheme's default. */
  readonly host: string;
  /** The path and the query. */
  readonly resourceName: string;
}

/** `http` means `ws`, and `https` means `wss`, so that a base URL can be used for both. */
const IS_SECURE: Readonly<Record<string, boolean>> = {
  "ws:": false,
  "http:": false,
  "wss:": true,
  "https:": true,
};

/**
 * Parses a URL.
 *
 * @throws {TypeError} If it is not a URL, has another scheme, a fragment or a user name.
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

/** An empty port, or the default port of the scheme. */
const DEFAULT_PORT = { ws: /:(?:0*80)?$/, wss: /:(?:0*443)?$/ } as const;

/**
 * Makes the URL for the response of draft75 and draft76 (§3.2). A client compares it with its own. It
 * has no default port, even if a proxy sends one in `Host`.
 *
 * @param scheme The scheme that the client used.
 * @param host The `Host` of the request, with an optional port.
 * @param resourceName The path and the query, as the client sent them.
 */
export function webSocketLocation(
  scheme: "ws" | "wss",
  { host, resourceName }: { readonly host: string; readonly resourceName: string },
): string {
  return `${scheme}://${host.replace(DEFAULT_PORT[scheme], "")}${resourceName}`;
}
