/**
 * Values that a Tornado application has signed (`tornado.web.create_signed_value`), as it keeps them in
 * cookies.
 *
 * Version 2 is `2|1:0|10:1300000000|8:username|20:…|…`: the fields key version, time, name and value,
 * each with its length, and the HMAC-SHA256 of all that stands before it. Version 1 is
 * `value|time|signature` with HMAC-SHA1 of the name, the value and the time.
 *
 * @module
 */

/**
 * The secret of signed cookies, or the secrets by their key version.
 *
 * @example
 * ```ts
 * import { Application, type CookieSecret } from "@waterspout/websocket";
 *
 * const cookieSecret: CookieSecret = { 1: "the old secret", 2: "the new secret" };
 * console.assert(new Application([], { cookieSecret }).settings.cookieSecret === cookieSecret);
 * ```
 */
export type CookieSecret = string | Readonly<Record<number, string>>;

/** What a signed value must be to be accepted. */
export interface SignedValueRules {
  /** The secret, or several by their key version. */
  readonly secret: CookieSecret;
  /** The name under which it was signed. */
  readonly name: string;
  /** How old it may be, in milliseconds. */
  readonly maxAge: number;
  /** The lowest version to accept: 1 or 2. */
  readonly minVersion: number;
  /** The time, in milliseconds since 1970. */
  readonly now: number;
}

const DAY = 24 * 60 * 60 * 1000;
/** A time of version 1 must not be later than this, in milliseconds from now. */
const MAX_FUTURE = 31 * DAY;
/** Higher numbers at the start are no versions: they belong to a value of version 1. */
const MAX_VERSION = 999;

const encoder = new TextEncoder();

/**
 * Checks a signed value.
 *
 * @param text The value, one character for each byte.
 * @param rules What it must be.
 * @returns The bytes that were signed; `undefined` if the value is malformed, forged, too old or was
 * signed under another name.
 */
export async function decodeSignedValue(
  text: string,
  rules: SignedValueRules,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const version = versionOf(text);
  if (version < rules.minVersion || version > 2) return undefined;
  const signed = version === 1 ? parseVersion1(text, rules) : parseVersion2(text, rules);
  if (signed === undefined || !await isAuthentic(signed)) return undefined;
  // Only an authentic value is looked into.
  return signed.isCurrent ? fromBase64(signed.value) : undefined;
}

/** A value whose signature is not checked yet. */
interface Signed {
  readonly hash: "SHA-1" | "SHA-256";
  readonly secret: string;
  /** What was signed. */
  readonly content: string;
  /** In hexadecimal. */
  readonly signature: string;
  /** The value in base64. */
  readonly value: string;
  /** Whether its name and time are right. */
  readonly isCurrent: boolean;
}

function versionOf(text: string): number {
  const version = Number(/^([1-9][0-9]*)\|/.exec(text)?.[1] ?? 1);
  return version > MAX_VERSION ? 1 : version;
}

function parseVersion2(
  text: string,
  { secret, name, maxAge, now }: SignedValueRules,
): Signed | undefined {
  const fields: string[] = [];
  let at = "2|".length;
  while (fields.length < 4) {
    const colon = text.indexOf(":", at);
    const length = text.slice(at, colon);
    if (colon === -1 || !/^[0-9]{1,6}$/.test(length)) return undefined;
    const end = colon + 1 + Number(length);
    if (text[end] !== "|") return undefined;
    fields.push(text.slice(colon + 1, end));
    at = end + 1;
  }
  // There are four.
  const [keyVersion, time, signedName, value] = fields as [string, string, string, string];
  const key = secretOf(secret, keyVersion);
  if (key === undefined || !/^[0-9]+$/.test(time)) return undefined;
  const isCurrent = signedName === name && Number(time) * 1000 >= now - maxAge;
  const signature = text.slice(at);
  return { hash: "SHA-256", secret: key, content: text.slice(0, at), signature, value, isCurrent };
}

function parseVersion1(
  text: string,
  { secret, name, maxAge, now }: SignedValueRules,
): Signed | undefined {
  const [value = "", time = "", signature = "", ...others] = text.split("|");
  // Version 1 has no key versions. Without a separator in what was signed, digits could move from the
  // value to the time: so a time begins with no 0, and is not far in the future.
  if (typeof secret !== "string" || others.length > 0 || !/^[1-9][0-9]*$/.test(time)) {
    return undefined;
  }
  const signedAt = Number(time) * 1000;
  const isCurrent = signedAt >= now - maxAge && signedAt <= now + MAX_FUTURE;
  return { hash: "SHA-1", secret, content: name + value + time, signature, value, isCurrent };
}

function secretOf(secret: CookieSecret, keyVersion: string): string | undefined {
  if (!/^[0-9]+$/.test(keyVersion)) return undefined;
  if (typeof secret === "string") return secret;
  return Object.hasOwn(secret, Number(keyVersion)) ? secret[Number(keyVersion)] : undefined;
}

/** Checks the signature. WebCrypto compares in constant time. */
async function isAuthentic({ hash, secret, content, signature }: Signed): Promise<boolean> {
  const size = hash === "SHA-1" ? 20 : 32;
  if (signature.length !== size * 2 || !/^[0-9a-f]*$/.test(signature)) return false;
  const bytes = Uint8Array.from(
    { length: size },
    (_, index) => parseInt(signature.slice(index * 2, index * 2 + 2), 16),
  );
  const algorithm = { name: "HMAC", hash };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "verify",
  ]);
  return await crypto.subtle.verify("HMAC", key, bytes, encoder.encode(content));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // Signed, but not encoded with base64.
    return undefined;
  }
}
