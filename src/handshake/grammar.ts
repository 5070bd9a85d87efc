/**
 * What characters the parts of a message head are made of (RFC 9110 §5, RFC 9112 §3), as tables
 * over bytes for the reader and as patterns over strings for everything else.
 *
 * @module
 */

/** The characters of a token (RFC 9110 §5.6.2), for use inside a class of a RegExp. */
const TOKEN_CHARACTERS = "!#$%&'*+.^_`|~0-9A-Za-z\\-";

/** The source of a RegExp for one token. */
export const TOKEN: string = `[${TOKEN_CHARACTERS}]+`;

/**
 * The source of a RegExp for a host: a registered name or IPv4 address, or an IPv6 address in
 * brackets (RFC 3986 §3.2.2).
 *
 * A name has no comma, which would make one host of two `Host` fields that somebody has joined, and
 * no percent-encoding, which would be a second spelling of a name.
 */
export const HOST = "(?:\\[[0-9A-Fa-f:.]+\\]|[\\w.~!$&'()*+;=-]+)";

const tokenPattern = new RegExp(`^${TOKEN}$`);
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const receivedValuePattern = /^[^\0\r\n]*$/;

/** Whether a string is a token: a field name, a method, a subprotocol. */
export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

/** Whether a string may be sent as a field value: HTAB, visible ASCII, space, U+0080 to U+00FF. */
export function isFieldValue(text: string): boolean {
  return valuePattern.test(text);
}

/**
 * Whether a string may have been received as a field value: anything but NUL, CR and LF.
 *
 * draft76 §4.1 lets a value hold all but CR and LF, and some of its clients draw a DEL into their
 * keys. RFC 9110 §5.5 lets a recipient keep control characters other than these three.
 */
export function isReceivedFieldValue(text: string): boolean {
  return receivedValuePattern.test(text);
}

/** For each byte, 1 if `allowed` matches its character. */
function table(allowed: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => +allowed.test(String.fromCharCode(byte)));
}

/** For each byte, 1 if a token may hold it. */
export const TOKEN_BYTES: Uint8Array = table(tokenPattern);

/**
 * For each byte, 1 if a request-target may hold it: visible ASCII, as draft76 §5.1 has it, without
 * `#`, which starts a fragment and never goes on the wire (RFC 9112 §3.2).
 */
export const TARGET_BYTES: Uint8Array = table(/^[\x21\x22\x24-\x7e]$/);

/** For each byte, 1 if a received field value may hold it: see {@linkcode isReceivedFieldValue}. */
export const VALUE_BYTES: Uint8Array = table(receivedValuePattern);

/** Whether a list of tokens (`keep-alive, Upgrade`) has one, in any case (RFC 9110 §5.6.1). */
export function listHasToken(list: string, token: string): boolean {
  // The token alone is what nearly everybody sends.
  if (list.length === token.length) return equalsIgnoreCase(list, 0, token);
  const lowerCase = list.toLowerCase();
  return lowerCase.split(",").some((element) => trimSpace(element) === token);
}

/** Whether a text has `lowerCase` at `at`, in any case of ASCII; it must be long enough. */
export function equalsIgnoreCase(text: string, at: number, lowerCase: string): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    const code = text.charCodeAt(at + i);
    const isUpperCase = code >= 0x41 && code <= 0x5a;
    if ((isUpperCase ? code + 0x20 : code) !== lowerCase.charCodeAt(i)) return false;
  }
  return true;
}

/** Without the spaces and tabs at both ends; `trim` would take U+00A0 and more. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

/** Whether a character code is a space or a tab. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
