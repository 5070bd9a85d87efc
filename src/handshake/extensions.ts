/**
 * The extensions that a client offers, by the grammar of RFC 6455 §9.1.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { isSpace, isToken, TOKEN } from "./grammar.ts";

/** One parameter of an offer. */
export interface ExtensionParameter {
  /** Its name. */
  readonly name: string;
  /** Its value, unquoted; `undefined` if it has none. */
  readonly value: string | undefined;
}

/** One element of `Sec-WebSocket-Extensions`. */
export interface ExtensionOffer {
  /** The extension's name. */
  readonly name: string;
  /** Its parameters in their order, as often as they were sent. */
  readonly parameters: readonly ExtensionParameter[];
}

const NAME = new RegExp(`(${TOKEN})[\\t ]*`, "y");
const QUOTED = `"((?:[^"\\\\]|\\\\.)*)"`;
const PARAMETER = new RegExp(
  `;[\\t ]*(${TOKEN})[\\t ]*(?:=[\\t ]*(?:(${TOKEN})|${QUOTED})[\\t ]*)?`,
  "y",
);

/**
 * Parses `Sec-WebSocket-Extensions`.
 *
 * @param value The field's value, several fields joined by commas.
 * @returns The offers in the client's order of preference; none if the list is empty.
 * @throws {Refusal} 400 if the grammar is broken, or a quoted value is not a token.
 */
export function parseExtensions(value: string): ExtensionOffer[] {
  const offers: ExtensionOffer[] = [];
  for (let at = skipSeparators(value, 0); at < value.length;) {
    const [whole, name] = matchAt(NAME, value, at) ?? [];
    if (whole === undefined || name === undefined) throw refusal();
    at += whole.length;
    const parameters: ExtensionParameter[] = [];
    while (value[at] === ";") {
      const match = matchAt(PARAMETER, value, at);
      if (match === null) throw refusal();
      at += match[0].length;
      parameters.push({ name: match[1] ?? "", value: match[2] ?? unquote(match[3]) });
    }
    if (at < value.length && value[at] !== ",") throw refusal();
    at = skipSeparators(value, at);
    offers.push({ name, parameters });
  }
  return offers;
}

/** Where the next offer begins: a list may have empty elements (RFC 2616 §2.1). */
function skipSeparators(value: string, at: number): number {
  while (value[at] === "," || isSpace(value.charCodeAt(at))) at++;
  return at;
}

function matchAt(pattern: RegExp, value: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(value);
}

/** "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST
 * conform to the 'token' ABNF" (§9.1). */
function unquote(quoted: string | undefined): string | undefined {
  const value = quoted?.replace(/\\(.)/g, "$1");
  if (value !== undefined && !isToken(value)) throw refusal();
  return value;
}

function refusal(): Refusal {
  return new Refusal(
    400,
    "Sec-WebSocket-Extensions must be a list of extensions and their parameters (RFC 6455 §9.1)",
    { reason: "handshake" },
  );
}
