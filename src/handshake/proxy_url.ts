/**
 * URLs of proxies: `http://user:password@proxy.example:3128`.
 *
 * @module
 */

/** The name and the password for a proxy. */
export interface ProxyCredentials {
  /** The name of the user. */
  readonly username: string;
  /** The password; `""` for none. */
  readonly password: string;
}

/** The parts of a proxy's URL. */
export interface ProxyUrl {
  /** The protocol of the proxy. */
  readonly protocol: "http" | "socks5";
  /** Whether the connection to the proxy is TLS. */
  readonly secure: boolean;
  /** The name or address of the proxy; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
  /** The credentials; `undefined` if the URL has none. */
  readonly credentials: ProxyCredentials | undefined;
  /** The URL without credentials, for error messages. */
  readonly href: string;
}

interface Scheme extends Pick<ProxyUrl, "protocol" | "secure"> {
  readonly port: number;
}

/** In curl, only `socks5h` lets the proxy resolve names. Here, `socks5` does too. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  "http": { protocol: "http", secure: false, port: 80 },
  "https": { protocol: "http", secure: true, port: 443 },
  "socks5": { protocol: "socks5", secure: false, port: 1080 },
  "socks5h": { protocol: "socks5", secure: false, port: 1080 },
};

const PARTS = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i;

/**
 * Parses the URL of a proxy.
 *
 * @throws {TypeError} If it is not a URL, has another scheme, a path, a query or a fragment, or if the
 * credentials are malformed. The message does not contain the credentials.
 */
export function parseProxyUrl(proxy: string | URL): ProxyUrl {
  const text = String(proxy);
  const [, name = "", rest = ""] = PARTS.exec(text) ?? [];
  const scheme = Object.hasOwn(SCHEMES, name.toLowerCase())
    ? SCHEMES[name.toLowerCase()]
    : undefined;
  if (scheme === undefined) {
    throw cannot(text, "the scheme must be http, https, socks5 or socks5h");
  }
  // `URL` checks hosts only for some schemes, such as ws. The default port of ws is not ours.
  const url = URL.canParse(`ws://${rest}`) ? new URL(`ws://${rest}`) : undefined;
  if (url === undefined || url.hostname === "") throw cannot(text, "not a URL with a host");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw cannot(text, "a path, a query or a fragment is not allowed");
  }
  const port = portOf(rest) ?? scheme.port;
  if (port === 0) throw cannot(text, "the port must be from 1 to 65535");
  return {
    protocol: scheme.protocol,
    secure: scheme.secure,
    hostname: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    credentials: credentialsOf(url, text, scheme.protocol),
    href: `${name.toLowerCase()}://${url.hostname}:${port}`,
  };
}

/** Returns the port of an authority. (`URL` would drop 80, the default port of ws.) */
function portOf(authority: string): number | undefined {
  const port = /:0*(\d+)\/?$/.exec(authority.slice(authority.lastIndexOf("@") + 1))?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The longest user name or password of SOCKS5, in bytes (RFC 1929 §2). */
const MAX_SOCKS5 = 255;

function credentialsOf(
  { username, password }: URL,
  text: string,
  protocol: ProxyUrl["protocol"],
): ProxyCredentials | undefined {
  if (username === "" && password === "") return undefined;
  let credentials: ProxyCredentials;
  try {
    credentials = {
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
  } catch {
    throw cannot(text, "the user name and the password must be percent-encoded UTF-8");
  }
  if (protocol === "http" && credentials.username.includes(":")) {
    throw cannot(text, "the user name must not have a colon (RFC 7617 §2)");
  }
  const sizes = [credentials.username, credentials.password]
    .map((part) => new TextEncoder().encode(part).length);
  if (protocol === "socks5" && sizes.some((size) => size < 1 || size > MAX_SOCKS5)) {
    throw cannot(
      text,
      `the user name and the password must have 1 to ${MAX_SOCKS5} bytes (RFC 1929 §2)`,
    );
  }
  return credentials;
}

function cannot(text: string, because: string): TypeError {
  // Remove the credentials, which must not appear in logs: everything before the last @.
  const shown = text.replace(/^([^/]*\/\/)?.*@/, "$1");
  return new TypeError(`Cannot use proxy ${JSON.stringify(shown)}: ${because}`);
}
