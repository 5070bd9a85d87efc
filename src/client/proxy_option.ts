/**
 * The option `proxy` of `websocketConnect`.
 *
 * @module
 */
import type { HeadLimits } from "../handshake/head_reader.ts";
import { ProxyConnect } from "../handshake/proxy_connect.ts";
import { parseProxyUrl } from "../handshake/proxy_url.ts";
import { Socks5Connect } from "../handshake/socks5.ts";
import type { WebSocketUrl } from "../handshake/web_socket_url.ts";
import type { TlsOptions, Tunnel } from "../transport/transport.ts";
import { checkValue, type Kind } from "../validation.ts";

/**
 * A proxy: its URL, or a function that takes the URL to connect to and returns the URL of the proxy, or
 * `undefined` for none. The function is also called for each redirect.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import type { ProxyOption } from "@waterspout/websocket/client";
 *
 * const proxy: ProxyOption = (url) =>
 *   new URL(url).hostname.endsWith(".example") ? "socks5://127.0.0.1:1080" : undefined;
 * assertEquals(proxy("wss://a.example/"), "socks5://127.0.0.1:1080");
 * ```
 */
export type ProxyOption = string | URL | ((url: string) => string | URL | undefined);

/** What the option must be. */
export const PROXY: Kind = {
  expected: "a URL or a function",
  hasType: (value) => isUrl(value) || typeof value === "function",
};

const PROXY_URL: Kind = { expected: "a URL", hasType: isUrl };

function isUrl(value: unknown): value is string | URL {
  return (typeof value === "string" && value !== "") || value instanceof URL;
}

/** A tunnel, and the URL of its proxy for error messages. */
export interface NamedTunnel extends Tunnel {
  /** The URL of the proxy, without credentials. */
  readonly href: string;
}

/** Checks the URL of a proxy. The result of a function is checked when it is called. */
export function checkProxy(proxy: ProxyOption | undefined): void {
  if (proxy !== undefined && typeof proxy !== "function") parseProxyUrl(proxy);
}

/** The options of {@linkcode tunnelTo}. */
export interface TunnelOptions {
  /** The option `proxy`. */
  readonly proxy?: ProxyOption | undefined;
  /** The option `proxyTls`. */
  readonly proxyTls?: TlsOptions | undefined;
}

/**
 * Returns the tunnel to a URL; `undefined` if there is no proxy.
 *
 * @throws {TypeError} If the URL of the proxy is wrong.
 */
export function tunnelTo(
  url: WebSocketUrl,
  { proxy, proxyTls = {} }: TunnelOptions,
  limits: HeadLimits,
): NamedTunnel | undefined {
  const chosen = typeof proxy === "function" ? proxy(url.href) : proxy;
  if (chosen === undefined) return undefined;
  checkValue(chosen, `Cannot use proxy for ${url.href}:`, PROXY_URL);
  const { protocol, secure, credentials, ...rest } = parseProxyUrl(chosen);
  return {
    ...rest,
    tls: secure ? proxyTls : undefined,
    handshake: protocol === "http"
      ? new ProxyConnect(url, limits, credentials)
      : new Socks5Connect(url, credentials),
  };
}
