/**
 * Compares the origin of a web page with that of a server (RFC 6454 §5).
 *
 * @module
 */

import { HOST } from "./grammar.ts";

const ORIGIN = new RegExp(`^(http|ws)(s?)://(${HOST})(?::([0-9]{1,5}))?$`, "i");
const HOST_AND_PORT = new RegExp(`^(${HOST})(?::([0-9]{0,5}))?$`, "i");

/**
 * Returns whether scheme, host and port are equal. The case is ignored. A missing port means the default
 * of the scheme. `ws` equals `http`, and `wss` equals `https`.
 *
 * @param origin The `Origin` of the request. `null`, `file://` and a URL with a path are never equal.
 * @param scheme The scheme that the client used: `"https"` over TLS.
 * @param host The `Host` of the request, with an optional port. An empty port means the default.
 */
export function sameOrigin(origin: string, scheme: "http" | "https", host: string): boolean {
  const [, , secure, originHost, originPort] = ORIGIN.exec(origin) ?? [];
  const [, ownHost, ownPort] = HOST_AND_PORT.exec(host) ?? [];
  if (originHost === undefined || ownHost === undefined) return false;
  const defaultPort = scheme === "https" ? 443 : 80;
  return (secure !== "") === (scheme === "https") &&
    originHost.toLowerCase() === ownHost.toLowerCase() &&
    Number(originPort ?? defaultPort) === Number(ownPort || defaultPort);
}
