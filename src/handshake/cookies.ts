/**
 * The cookies of a request (RFC 6265 §4.2).
 *
 * @module
 */
import { trimSpace } from "./grammar.ts";

/**
 * The value of a cookie, without quotes and percent-decoded where it is well-formed.
 *
 * @param cookies The value of the field `Cookie`.
 * @param name The cookie's name.
 * @returns `undefined` if there is none of that name.
 */
export function cookieOf(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(";")) {
    const equals = pair.indexOf("=");
    // Spaces and tabs only: to trim more would let a name pass for another, such as `__Host-id`.
    if (equals === -1 || trimSpace(pair.slice(0, equals)) !== name) continue;
    const value = trimSpace(pair.slice(equals + 1)).replace(/^"(.*)"$/, "$1");
    try {
      return decodeURIComponent(value);
    } catch {
      // Not percent-encoded: the value is what the bytes say.
      return value;
    }
  }
  return undefined;
}
