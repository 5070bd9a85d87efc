/**
 * Ranges of IP addresses, in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).
 *
 * @module
 */
import { canonicalAddress } from "./ip_address.ts";

/** A range of addresses. A single address is a range of one. */
export interface IpNetwork {
  /** The bits of the first address: 32 for IPv4, 128 for IPv6. */
  readonly bits: string;
  /** How many bits an address must share. */
  readonly prefix: number;
  /** The only zone that belongs to the range; `undefined` for all zones. */
  readonly zone: string | undefined;
}

/** An address or a prefix: text, zone and prefix length. */
const NETWORK = /^([^%/]*)(?:%([^%/]+))?(?:\/(0|[1-9]\d{0,2}))?$/;
/** The first bits of all IPv4-mapped addresses, whose canonical text is IPv4. */
const MAPPED_PREFIX = 96;

/**
 * Parses an address (`10.0.0.1`, `::1`, `fe80::1%eth0`) or a range (`10.0.0.0/8`, `2001:db8::/32`).
 * IPv4-mapped addresses and ranges count as IPv4.
 *
 * @returns `undefined` if the text is malformed, or bits after the prefix are set: `10.0.0.1/8`.
 */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, address = "", zone, length] = NETWORK.exec(text) ?? [];
  const bits = addressBits(address);
  if (bits === undefined) return undefined;
  const isMapped = bits.length === 32 && address.includes(":");
  const given = length === undefined ? undefined : Number(length);
  const prefix = given === undefined ? bits.length : given - (isMapped ? MAPPED_PREFIX : 0);
  if (prefix < 0 || prefix > bits.length || bits.includes("1", prefix)) return undefined;
  return { bits, prefix, zone };
}

/** Returns whether an address is in one of the ranges; false for text that is not an address. */
export function includesAddress(networks: readonly IpNetwork[], text: string): boolean {
  const [address = "", zone] = text.split("%");
  const bits = addressBits(address);
  if (bits === undefined) return false;
  return networks.some((network) =>
    network.bits.length === bits.length &&
    (network.zone === undefined || network.zone === zone) &&
    bits.startsWith(network.bits.slice(0, network.prefix))
  );
}

/**
 * Returns a key for the client of an address. For IPv4, also IPv4-mapped, it is the address. For IPv6, it
 * is the first 64 bits, because a client usually has a network of that size. Text that is not an address
 * is returned unchanged.
 */
export function addressGroup(text: string): string {
  if (!text.includes(":")) return text;
  const [address = "", zone] = text.split("%");
  const canonical = canonicalAddress(address);
  if (canonical === undefined) return text;
  if (!canonical.includes(":")) return canonical;
  const network = groupsOfAddress(canonical).slice(0, 4).map((group) => group.toString(16)).join(
    ":",
  );
  return zone === undefined ? network : `${network}%${zone}`;
}

/** Returns the bits of an address, as a string of 32 or 128 digits. */
function addressBits(text: string): string | undefined {
  const address = canonicalAddress(text);
  if (address === undefined) return undefined;
  if (!address.includes(":")) {
    return address.split(".").map((byte) => binary(Number(byte), 8)).join("");
  }
  return groupsOfAddress(address).map((group) => binary(group, 16)).join("");
}

/** Returns the eight groups of an IPv6 address in canonical text. */
function groupsOfAddress(address: string): number[] {
  const [head = "", tail] = address.split("::");
  const [before, after] = [groupsOf(head), groupsOf(tail ?? "")];
  const zeros = Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after];
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, "0");
}
