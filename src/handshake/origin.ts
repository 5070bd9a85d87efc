/**
 * Whether a page and a server are of the same origin (RFC 6454 §5).
 *
 * @module
 */

import { HOST } from "./grammar.ts";

const ORIGIN = new RegExp(`^(http|ws)(s?)://(${HOST})(?::([0-9]{1,5}))?$`, "i");
const HOST_AND_PORT = new RegExp(`^(${HOST})(?::([0-9]{0,5}))?$`, "i");

/**
 * Compares scheme, host and port, in any case and with the default ports; `ws` is the same as
 * `http`, and `wss` as `https`.
 *
 * @param origin The request's `Origin`. What is no origin of a server is of no server: `null`,
 * `file://`, a URL with a path.
 * @param scheme What the client used to get here: `"https"` over TLS.
 * @param host The request's `Host`, with its port if it has one; an empty port is the default one.
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
