/**
 * Whether a page and a server have the same origin (RFC 6454 §5).
 *
 * @module
 */

import { HOST } from "./grammar.ts";

const ORIGIN = new RegExp(`^(http|ws)(s?)://(${HOST})(?::([0-9]{1,5}))?$`, "i");
const HOST_AND_PORT = new RegExp(`^(${HOST})(?::([0-9]{0,5}))?$`, "i");

/**
 * Compares scheme, host and port. Case does not matter, a missing port is the scheme's default, `ws`
 * equals `http`, and `wss` equals `https`.
 *
 * @param origin The request's `Origin`. Values such as `null`, `file://` and a URL with a path are the
 * origin of no server.
 * @param scheme The scheme that the client used: `"https"` over TLS.
 * @param host The request's `Host`, with its port if it has one. An empty port is the default.
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
