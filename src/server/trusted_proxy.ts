/**
 * Who may come in: the `Host` that was asked for, and whom a proxy brings.
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
 * Refuses a `Host` that is not listed, against DNS rebinding.
 *
 * @throws {Refusal} 421 if the setting `allowedHosts` is in use and does not list it.
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
 * What a proxy says of its client; `null` unless the setting `trustProxy` lists the proxy. A proxy
 * that writes `X-Forwarded-For` or `X-Forwarded-Proto` is not asked for `Forwarded`, which it may
 * have passed on from its client.
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
 * The client: the nearest hop that is not itself a trusted proxy. Anybody can write what is before
 * it. If a proxy does not tell the address of that hop, the proxy's own is the farthest that is known.
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

/** Whether an address is that of a trusted proxy. */
export function isTrusted(proxy: Address, trusted: readonly string[]): boolean {
  if (trusted.length === 0) return false;
  if (proxy.transport === "unix") return trusted.includes("unix");
  return includesAddress(trusted, proxy.hostname);
}

/** Whether a list has an address, however it is written there. */
function includesAddress(list: readonly string[], hostname: string): boolean {
  if (list.includes(hostname)) return true;
  const address = canonicalAddress(hostname);
  return address !== undefined && list.some((item) => canonicalAddress(item) === address);
}
