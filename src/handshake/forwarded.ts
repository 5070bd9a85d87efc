/**
 * Parses the header fields in which proxies describe the connections that they forward:
 * `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded` (RFC 7239).
 *
 * @module
 */
import { TOKEN, trimSpace } from "./grammar.ts";
import { canonicalAddress } from "./ip_address.ts";

/** One connection on the way from the client to the server. */
export interface Hop {
  /** The canonical address of the end that connects; `undefined` if it is unknown. */
  readonly address: string | undefined;
  /** The scheme, as the proxy wrote it; `undefined` if it is unknown. */
  readonly scheme: string | undefined;
}

/**
 * Parses `X-Forwarded-For` and `X-Forwarded-Proto`. The nearest hop comes last.
 *
 * Each proxy appends to both fields, so the last elements of both lists belong together. A single scheme
 * is that of the client: later proxies have passed it on.
 *
 * @param addresses The value of `X-Forwarded-For`.
 * @param schemes The value of `X-Forwarded-Proto`.
 */
export function parseXForwarded(
  addresses: string | undefined,
  schemes: string | undefined,
): readonly Hop[] {
  const nodes = elementsOf(addresses);
  const protos = elementsOf(schemes);
  if (nodes.length === 0) return [{ address: undefined, scheme: protos.at(-1) }];
  const ahead = protos.length - nodes.length;
  return nodes.map((node, i) => ({
    address: addressOf(node),
    scheme: protos[Math.max(i + ahead, 0)],
  }));
}

/** Returns the elements of a list that are not empty (RFC 9110 §5.6.1). */
function elementsOf(list: string | undefined): string[] {
  return (list ?? "").split(",").map(trimSpace).filter((element) => element !== "");
}

/** An optional parameter of `Forwarded`, and the separator after it. */
const PARAMETER = new RegExp(
  `[\\t ]*(?:(${TOKEN})=(?:"((?:[^"\\\\]|\\\\.)*)"|([^"\\t ,;]+))[\\t ]*)?([,;]|$)`,
  "y",
);

/**
 * Parses `Forwarded`. The nearest hop comes last.
 *
 * RFC 7239 §4 requires quotes around an IPv6 address and around an address with a port. Here they are
 * optional.
 *
 * @param value The value of the field. Several fields are joined by commas.
 * @returns No hops if the value is malformed, since the start of its last element is unknown then.
 */
export function parseForwardedField(value: string): readonly Hop[] {
  const hops: Hop[] = [];
  let parameters = new Map<string, string>();
  for (let at = 0; at < value.length;) {
    PARAMETER.lastIndex = at;
    const [whole, name, quoted, plain, end] = PARAMETER.exec(value) ?? [];
    if (whole === undefined) return [];
    at += whole.length;
    if (name !== undefined) {
      const lowerCase = name.toLowerCase();
      if (parameters.has(lowerCase)) return [];
      parameters.set(lowerCase, plain ?? (quoted ?? "").replace(/\\(.)/g, "$1"));
    }
    if (end === ";" || parameters.size === 0) continue;
    const node = parameters.get("for");
    const address = node === undefined ? undefined : addressOf(node);
    hops.push({ address, scheme: parameters.get("proto") });
    parameters = new Map();
  }
  return parameters.size === 0 ? hops : [];
}

/** An IPv4 address, or an IPv6 address in brackets, and a port, which may be obfuscated. */
const NODE = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** Returns the address of a node without its port; `undefined` for other texts, such as `unknown`. */
function addressOf(node: string): string | undefined {
  const [, v6, v4] = NODE.exec(node) ?? [];
  return canonicalAddress(v6 ?? v4 ?? node);
}
