/**
 * The proxy that is set in environment variables.
 *
 * @module
 */
import { bypassesProxy } from "../handshake/no_proxy.ts";
import { parseWebSocketUrl } from "../handshake/web_socket_url.ts";

/** Environment variables. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns the proxy that environment variables set for a URL. Pass this function as the option
 * `proxy`: without it, the client does not read environment variables.
 *
 * `wss:` uses `HTTPS_PROXY`, and `ws:` uses `HTTP_PROXY`. If it is not set, `ALL_PROXY` is used. The
 * names in lower case take precedence. A value without a scheme is an `http:` proxy. In a CGI program
 * (`REQUEST_METHOD` is set), `HTTP_PROXY` is ignored: a client could set it with the field `Proxy`.
 *
 * `NO_PROXY` lists hosts to connect to directly, separated by commas: `example.com` (and its
 * subdomains), `192.0.2.7`, `10.0.0.0/8` or `[::1]`, each with an optional port; or `*` for all.
 *
 * @param url The URL to connect to.
 * @param environment The variables. Default: those of the process. Deno requires `--allow-env`.
 * @returns The URL of the proxy; `undefined` for none.
 * @throws {TypeError} If the URL is wrong.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { type ConnectOptions, proxyFromEnvironment } from "@waterspout/websocket/client";
 *
 * const options: ConnectOptions = { proxy: proxyFromEnvironment };
 * assertEquals(typeof options.proxy, "function");
 *
 * const environment = { HTTPS_PROXY: "http://proxy.example:3128", NO_PROXY: "internal.example" };
 * assertEquals(
 *   proxyFromEnvironment("wss://example.com/", environment),
 *   "http://proxy.example:3128",
 * );
 * assertEquals(proxyFromEnvironment("wss://a.internal.example/", environment), undefined);
 * ```
 */
export function proxyFromEnvironment(
  url: string | URL,
  environment: Readonly<Record<string, string | undefined>> = processEnvironment(),
): string | undefined {
  const target = parseWebSocketUrl(url);
  const names = target.secure
    ? ["https_proxy", "HTTPS_PROXY"]
    : ["http_proxy", ...(environment.REQUEST_METHOD ? [] : ["HTTP_PROXY"])];
  const proxy = firstSet(environment, [...names, "all_proxy", "ALL_PROXY"]);
  if (proxy === undefined) return undefined;
  const bypassed = firstSet(environment, ["no_proxy", "NO_PROXY"]) ?? "";
  if (bypassesProxy(bypassed, target)) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function firstSet(environment: Environment, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = environment[name]?.trim();
    if (value) return value;
  }
  return undefined;
}

function processEnvironment(): Environment {
  const { process } = globalThis as { process?: { readonly env: Environment } };
  return process?.env ?? {};
}
