/**
 * The cookies of a request (RFC 6265 §4.2).
 *
 * @module
 */
import { trimSpace } from "./grammar.ts";

/**
 * Returns the value of the first cookie with a name, percent-decoded if it is well-formed.
 *
 * @param field The value of `Cookie`.
 * @param name The name of the cookie. It is case-sensitive.
 * @returns `undefined` if there is none.
 */
export function cookieValue(field: string, name: string): string | undefined {
  const value = rawCookieValue(field, name);
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    // It is not percent-encoded.
    return value;
  }
}

/**
 * Returns the value of the first cookie with a name as it was sent, without quotes around it.
 *
 * Only spaces and tabs are trimmed. Another character, such as U+00A0, belongs to the name. Otherwise
 * a page that may not set `__Host-id` could set U+00A0 `__Host-id` instead.
 *
 * @param field The value of `Cookie`.
 * @param name The name of the cookie. It is case-sensitive.
 * @returns `undefined` if there is none.
 */
export function rawCookieValue(field: string, name: string): string | undefined {
  for (const pair of field.split(";")) {
    const equals = pair.indexOf("=");
    if (equals === -1 || trimSpace(pair.slice(0, equals)) !== name) continue;
    return trimSpace(pair.slice(equals + 1)).replace(/^"(.*)"$/, "$1");
  }
  return undefined;
}
