/**
 * Who may come in: the `Host` that was asked for, and whom a proxy brings.
 *
 * @module
 */
import type { Forwarded } from "./server_connection.ts";
import { HttpError } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { Settings } from "./settings.ts";
import type { Address } from "../transport/transport.ts";

/**
 * Refuses a `Host` that is not listed, against DNS rebinding.
 *
 * @throws {HttpError} 421 if the setting `allowedHosts` is in use and does not list it.
 */
export function checkHost(head: RequestHead, settings: Settings): void {
  const { allowedHosts } = settings;
  if (allowedHosts.length === 0) return;
  const host = head.host.toLowerCase();
  const name = host.replace(/:\d+$/, "");
  if (allowedHosts.some((allowed) => [host, name].includes(allowed.toLowerCase()))) return;
  throw new HttpError(421, `the host ${JSON.stringify(head.host)} is not served here`);
}

/** What a proxy says of its client; `null` unless the setting `trustProxy` lists the proxy. */
export function parseForwarded(
  head: RequestHead,
  proxy: { readonly remoteAddress: Address },
  settings: Settings,
): Forwarded | null {
  const { trustProxy } = settings;
  if (trustProxy.length === 0 || !isTrusted(proxy.remoteAddress, trustProxy)) return null;
  const scheme = last(head.get("x-forwarded-proto"))?.toLowerCase();
  return {
    hostname: client(head.get("x-forwarded-for"), trustProxy),
    secure: scheme === undefined ? undefined : scheme === "https" || scheme === "wss",
  };
}

/** Whether an address is that of a trusted proxy. */
export function isTrusted(proxy: Address, trusted: readonly string[]): boolean {
  return trusted.includes(proxy.transport === "unix" ? "unix" : unmapped(proxy.hostname));
}

/** An IPv4 address as such, also where an IPv6 socket shows it mapped (RFC 4291 §2.5.5.2). */
function unmapped(hostname: string): string {
  return hostname.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** An address without the port that some proxies write behind it. */
function hostOf(hop: string): string {
  const [, v6, v4] = /^(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)$/.exec(hop.trim()) ?? [];
  return unmapped(v6 ?? v4 ?? hop.trim());
}

function last(list: string | undefined): string | undefined {
  return list?.split(",").at(-1)?.trim() || undefined;
}

/** The nearest address that is not itself a trusted proxy: what is before it anybody can write. */
function client(list: string | undefined, trusted: readonly string[]): string | undefined {
  const hops = list?.split(",").map(hostOf).filter((hop) => hop !== "");
  return hops?.findLast((hop) => !trusted.includes(hop)) ?? hops?.[0];
}
