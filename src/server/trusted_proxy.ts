/**
 * Checks the `Host` of a request, and reads the fields that a trusted proxy adds.
 *
 * @module
 */
import type { Forwarded } from "./connection_info.ts";
import { Refusal } from "../errors.ts";
import { type Hop, parseForwardedField, parseXForwarded } from "../handshake/forwarded.ts";
import { includesAddress, type IpNetwork, parseNetwork } from "../handshake/ip_network.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { Settings } from "./settings.ts";
import type { Address } from "../transport/transport.ts";
import { show } from "../validation.ts";

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

/** The setting `trustProxy`, compiled. */
export class TrustedProxies {
  /** Whether there are none. */
  readonly isEmpty: boolean;
  readonly #networks: readonly IpNetwork[];
  readonly #hasUnix: boolean;

  /**
   * Parses the setting.
   *
   * @throws {TypeError} If an item is neither an address, a range nor `"unix"`.
   */
  constructor(trustProxy: readonly string[]) {
    this.isEmpty = trustProxy.length === 0;
    this.#hasUnix = trustProxy.includes("unix");
    this.#networks = trustProxy.filter((item) => item !== "unix").map((item) => {
      const network = parseNetwork(item);
      if (network !== undefined) return network;
      throw new TypeError(
        'Cannot use trustProxy: must have IP addresses, ranges such as "10.0.0.0/8" without bits ' +
          `after the prefix, or "unix", got ${show(item)}`,
      );
    });
  }

  /** Returns whether an address is that of a trusted proxy. */
  has(proxy: Address): boolean {
    if (this.isEmpty) return false;
    return proxy.transport === "unix" ? this.#hasUnix : this.hasAddress(proxy.hostname);
  }

  /** Returns whether an IP address, in any notation, is that of a trusted proxy. */
  hasAddress(hostname: string): boolean {
    return includesAddress(this.#networks, hostname);
  }
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
  trusted: TrustedProxies,
): Forwarded | null {
  if (trusted.isEmpty || !trusted.has(proxy.remoteAddress)) return null;
  const addresses = head.get("x-forwarded-for");
  const schemes = head.get("x-forwarded-proto");
  const hops = addresses === undefined && schemes === undefined
    ? parseForwardedField(head.get("forwarded") ?? "")
    : parseXForwarded(addresses, schemes);
  return clientOf(hops, trusted);
}

/**
 * Returns the client: the nearest hop that is not a trusted proxy. Anybody can forge the hops before
 * it. If that hop has no address, the address of the next proxy is used.
 */
function clientOf(hops: readonly Hop[], trusted: TrustedProxies): Forwarded {
  const nearest = hops.findLastIndex(({ address }) =>
    address === undefined || !trusted.hasAddress(address)
  );
  const at = Math.max(nearest, 0);
  const scheme = hops[at]?.scheme?.toLowerCase();
  return {
    hostname: hops[at]?.address ?? hops[at + 1]?.address,
    secure: scheme === undefined ? undefined : scheme === "https" || scheme === "wss",
  };
}
