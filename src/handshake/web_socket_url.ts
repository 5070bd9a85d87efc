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

/** The port that a URL of each scheme leaves out; an empty one is left out of both. */
const DEFAULT_PORT = { ws: /:(?:0*80)?$/, wss: /:(?:0*443)?$/ } as const;

/**
 * The URL that a client must find in the answer of draft75 and draft76 (§3.2). It has no default
 * port, even if a proxy writes one into `Host`: the client compares the URL with its own.
 *
 * @param scheme What the client used, which only the application knows behind a proxy.
 * @param host The request's `Host`, with its port if it has one.
 * @param resourceName Path and query, as they were sent.
 */
export function webSocketLocation(
  scheme: "ws" | "wss",
  { host, resourceName }: { readonly host: string; readonly resourceName: string },
): string {
  return `${scheme}://${host.replace(DEFAULT_PORT[scheme], "")}${resourceName}`;
}
