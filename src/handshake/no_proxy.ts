/**
 * The list `NO_PROXY`: hosts to connect to without a proxy. There is no specification. We follow the
 * rules of curl, plus ports as in Go.
 *
 * @module
 */
import { canonicalAddress } from "./ip_address.ts";
import { includesAddress, parseNetwork } from "./ip_network.ts";
import type { TunnelTarget } from "./proxy_connect.ts";

/** An entry with a port: `example.com:8080`, `[::1]:8080`. */
const WITH_PORT = /^(\[[^\]]*\]|[^:]*):(\d+)$/;

/**
 * Returns whether a list contains a host. Commas or white space separate its entries:
 *
 * - `*`: every host;
 * - `example.com`, `.example.com` or `*.example.com`: this host and its subdomains;
 * - `192.0.2.7`, `10.0.0.0/8`, `[::1]`, `2001:db8::/32`: IP addresses (names are not resolved);
 * - any of them with a port: `example.com:8080`.
 *
 * Case does not matter. An entry that is none of these matches nothing.
 *
 * @param list The value of `NO_PROXY`.
 * @param target The host and port of the URL.
 */
export function bypassesProxy(list: string, { hostname, port }: TunnelTarget): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  return list.toLowerCase().split(/[\s,]+/).some((entry) => {
    const [, before, onlyPort] = WITH_PORT.exec(entry) ?? [];
    if (onlyPort !== undefined && Number(onlyPort) !== port) return false;
    return matches((before ?? entry).replace(/^\[(.*)\]$/, "$1"), host);
  });
}

function matches(entry: string, host: string): boolean {
  if (entry === "") return false;
  if (entry === "*") return true;
  if (canonicalAddress(host) !== undefined) {
    const network = parseNetwork(entry);
    return network !== undefined && includesAddress([network], host);
  }
  const domain = entry.replace(/^\*?\./, "").replace(/\.$/, "");
  return domain !== "" && (host === domain || host.endsWith(`.${domain}`));
}
