/**
 * The characters that are allowed in each part of a message head (RFC 9110 §5, RFC 9112 §3): as tables
 * of bytes for the head reader, and as patterns for strings.
 *
 * @module
 */

/** The characters of a token (RFC 9110 §5.6.2), for a character class of a RegExp. */
const TOKEN_CHARACTERS = "!#$%&'*+.^_`|~0-9A-Za-z\\-";

/** The source of a RegExp for one token. */
export const TOKEN: string = `[${TOKEN_CHARACTERS}]+`;

/**
 * The source of a RegExp for a host: a registered name or IPv4 address, or an IPv6 address in
 * brackets (RFC 3986 §3.2.2).
 *
 * A comma is not allowed: a proxy may have joined two `Host` fields with it. Percent-encoding is not
 * allowed, so that each name has only one spelling.
 */
export const HOST = "(?:\\[[0-9A-Fa-f:.]+\\]|[\\w.~!$&'()*+;=-]+)";

const tokenPattern = new RegExp(`^${TOKEN}$`);
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;
const receivedValuePattern = /^[^\0\r\n]*$/;

/** Returns whether a string is a token: a field name, a method, a subprotocol. */
export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

/** Returns whether a string may be sent as a field value: HTAB, space, visible ASCII, U+0080 to U+00FF. */
export function isFieldValue(text: string): boolean {
  return valuePattern.test(text);
}

/**
 * Returns whether a received string is accepted as a field value: anything except NUL, CR and LF.
 *
 * draft76 §4.1 allows everything but CR and LF, and some of its clients send a DEL in their keys. RFC
 * 9110 §5.5 allows a recipient to keep other control characters.
 */
export function isReceivedFieldValue(text: string): boolean {
  return receivedValuePattern.test(text);
}

/** Makes a table: 1 for each byte whose character matches `allowed`, otherwise 0. */
function table(allowed: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => +allowed.test(String.fromCharCode(byte)));
}

/** The bytes of a token. */
export const TOKEN_BYTES: Uint8Array = table(tokenPattern);

/**
 * The bytes of a request-target: visible ASCII (draft76 §5.1) without `#`, which starts a fragment and
 * is never sent (RFC 9112 §3.2).
 */
export const TARGET_BYTES: Uint8Array = table(/^[\x21\x22\x24-\x7e]$/);

/** The bytes of a received field value; see {@linkcode isReceivedFieldValue}. */
export const VALUE_BYTES: Uint8Array = table(receivedValuePattern);

/**
 * Returns whether a list of tokens (`keep-alive, Upgrade`) has a token, in any case (RFC 9110 §5.6.1).
 *
 * @param token The token in lower case.
 */
export function listHasToken(list: string, token: string): boolean {
  const { length } = list;
  for (let at = 0; at <= length; at++) {
    let start = at;
    at = list.indexOf(",", at);
    if (at === -1) at = length;
    let end = at;
    while (start < end && isSpace(list.charCodeAt(start))) start++;
    while (end > start && isSpace(list.charCodeAt(end - 1))) end--;
    if (end - start === token.length && equalsIgnoreCase(list, start, token)) return true;
  }
  return false;
}

/** Returns whether a text has `lowerCase` at `at`, in any case. The text must be long enough. */
export function equalsIgnoreCase(text: string, at: number, lowerCase: string): boolean {
  for (let i = 0; i < lowerCase.length; i++) {
    const code = text.charCodeAt(at + i);
    const expected = lowerCase.charCodeAt(i);
    if (code === expected) continue;
    // Only a letter in upper case may differ.
    if (code + 0x20 !== expected || code < 0x41 || code > 0x5a) return false;
  }
  return true;
}

/** Removes spaces and tabs from both ends. `trim` would remove other characters too. */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

/** Returns whether a character code is a space or a tab. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
