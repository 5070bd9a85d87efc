/**
 * The host and port that a request asks for (RFC 9110 §7.2), the same on every runtime.
 *
 * @module
 */
import { HOST } from "./grammar.ts";
import { decodePunycode } from "./punycode.ts";

const HOST_AND_PORT = new RegExp(`^${HOST}(?::[0-9]*)?$`, "i");
/** A name of which a label is in Punycode. */
const HAS_A_LABEL = /(?:^|\.)xn--/i;

/**
 * Whether a text is a host, with a port or without, of which a URL can be made: `256.1.1.1`,
 * `a:70000` and `xn--a` are not.
 */
export function isHost(text: string): boolean {
  if (!HOST_AND_PORT.test(text)) return false;
  return HAS_A_LABEL.test(text) ? isNormalized(text) : URL.canParse(`http://${text}/`);
}

/**
 * Whether the A-labels of a name are what its characters are encoded as. Node takes any text behind
 * `xn--`, and Deno and Bun do not; the way from the characters is the same on all of them.
 */
function isNormalized(host: string): boolean {
  const [name = "", port = ""] = host.toLowerCase().split(":");
  const labels: string[] = [];
  for (const label of name.split(".")) {
    const decoded = label.startsWith("xn--") ? decodePunycode(label.slice(4)) : label;
    if (decoded === undefined) return false;
    labels.push(decoded);
  }
  const url = `http://${labels.join(".")}:${port}/`;
  return URL.canParse(url) && new URL(url).hostname === name;
}
