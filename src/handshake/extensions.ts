/**
 * Parses `Sec-WebSocket-Extensions` (RFC 6455 §9.1).
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { isSpace, isToken, TOKEN } from "./grammar.ts";

/** One parameter of an offer. */
export interface ExtensionParameter {
  /** The name of the parameter. */
  readonly name: string;
  /** The value without quotes; `undefined` if there is none. */
  readonly value: string | undefined;
}

/** One element of `Sec-WebSocket-Extensions`. */
export interface ExtensionOffer {
  /** The name of the extension. */
  readonly name: string;
  /** The parameters in order. A name may occur several times. */
  readonly parameters: readonly ExtensionParameter[];
}

const NAME = new RegExp(`(${TOKEN})[\\t ]*`, "y");
const QUOTED = `"((?:[^"\\\\]|\\\\.)*)"`;
const PARAMETER = new RegExp(
  `;[\\t ]*(${TOKEN})[\\t ]*(?:=[\\t ]*(?:(${TOKEN})|${QUOTED})[\\t ]*)?`,
  "y",
);

/**
 * Parses the `Sec-WebSocket-Extensions` of a request.
 *
 * @param value The value of the field. Several fields are joined by commas.
 * @returns The offers in the client's order of preference.
 * @throws {Refusal} 400 if the grammar is broken, the list is empty, or a quoted value is not a token.
 */
export function parseExtensions(value: string): ExtensionOffer[] {
  const offers = parseExtensionList(value);
  if (offers !== undefined) return offers;
  throw new Refusal(
    400,
    "Sec-WebSocket-Extensions must be a list of extensions and their parameters (RFC 6455 §9.1)",
    { reason: "handshake" },
  );
}

/** Parses the value of `Sec-WebSocket-Extensions`; `undefined` if it is malformed or empty. */
export function parseExtensionList(value: string): ExtensionOffer[] | undefined {
  const offers: ExtensionOffer[] = [];
  for (let at = skipSeparators(value, 0); at < value.length;) {
    const [whole, name] = matchAt(NAME, value, at) ?? [];
    if (whole === undefined || name === undefined) return undefined;
    at += whole.length;
    const parameters: ExtensionParameter[] = [];
    while (value[at] === ";") {
      const [whole, name = "", token, quoted] = matchAt(PARAMETER, value, at) ?? [];
      const unquoted = quoted?.replace(/\\(.)/g, "$1");
      if (whole === undefined) return undefined;
      // "the value after quoted-string unescaping MUST conform to the 'token' ABNF" (§9.1)
      if (unquoted !== undefined && !isToken(unquoted)) return undefined;
      at += whole.length;
      parameters.push({ name, value: token ?? unquoted });
    }
    if (at < value.length && value[at] !== ",") return undefined;
    at = skipSeparators(value, at);
    offers.push({ name, parameters });
  }
  // `1#extension`: the list must not be empty.
  return offers.length === 0 ? undefined : offers;
}

/** Returns the start of the next offer. A list may have empty elements (RFC 2616 §2.1). */
function skipSeparators(value: string, at: number): number {
  while (value[at] === "," || isSpace(value.charCodeAt(at))) at++;
  return at;
}

function matchAt(pattern: RegExp, value: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(value);
}
