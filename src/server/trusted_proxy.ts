/**
 * Checks the `Host` of a request, and reads the fields that a trusted proxy adds.
 *
 * @module
 */
import type { Forwarded } from "./connection_info.ts";
import { Refusal } from "../errors.ts";
import { type Hop, parseForwardedField, parseXForwarded } from "../handshake/forwarded.ts";
import { canonicalAddress } from "../handshake/ip_address.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { Settings } from "./settings.ts";
import type { Address } from "../transport/transport.ts";

/**
 * Checks that the setting `allowedHosts` has the `Host` of a request. This prevents DNS rebinding.
 *
 * @throws {Refusal} 421, if `allowedHosts` is not empty and does not have it.
 */
export function checkHost(head: RequestHead, settings: Settings): void {
  const { allowedHosts } = settings;
  if (allowedHosts.length === 0) return;
  const host = head.host.toLowerCase();
  const name = host.replace(/:\d+$/, "");
  if (allowedHosts.some((allowed) => [host, name].includes(allowed.toLowerCase()))) return;
  throw new Refusal(421, `the host ${JSON.stringify(head.host)} is not served here`, {
    reason: "host",
  });
}

/**
 * Reads what a trusted proxy says about the client.
 *
 * If the request has `X-Forwarded-For` or `X-Forwarded-Proto`, `Forwarded` is ignored: the proxy may
 * have passed it on from the client.
 *
 * @returns `null` if the setting `trustProxy` does not list the proxy.
 */
export function parseForwarded(
  head: RequestHead,
  proxy: { readonly remoteAddress: Address },
  settings: Settings,
): Forwarded | null {
  const { trustProxy } = settings;
  if (trustProxy.length === 0 || !isTrusted(proxy.remoteAddress, trustProxy)) return null;
  const addresses = head.get("x-forwarded-for");
  const schemes = head.get("x-forwarded-proto");
  const hops = addresses === undefined && schemes === undefined
    ? parseForwardedField(head.get("forwarded") ?? "")
    : parseXForwarded(addresses, schemes);
  return clientOf(hops, trustProxy);
}

/**
 * Returns the client: the nearest hop that is not a trusted proxy. Anybody can forge the hops before
 * it. If that hop has no address, the address of the next proxy is used.
 */
function clientOf(hops: readonly Hop[], trusted: readonly string[]): Forwarded {
  const nearest = hops.findLastIndex(({ address }) =>
    address === undefined || !includesAddress(trusted, address)
  );
  const at = Math.max(nearest, 0);
  const scheme = hops[at]?.scheme?.toLowerCase();
  return {
    hostname: hops[at]?.address ?? hops[at + 1]?.address,
    secure: scheme === undefined ? undefined : scheme === "https" || scheme === "wss",
  };
}

/** Returns whether an address is that of a trusted proxy. */
export function isTrusted(proxy: Address, trusted: readonly string[]): boolean {
  if (trusted.length === 0) return false;
  if (proxy.transport === "unix") return trusted.includes("unix");
  return includesAddress(trusted, proxy.hostname);
}

/** Returns whether a list has an address, in any notation. */
function includesAddress(list: readonly string[], hostname: string): boolean {
  if (list.includes(hostname)) return true;
  const address = canonicalAddress(hostname);
  return address !== undefined && list.some((item) => canonicalAddress(item) === address);
}
