/**
 * Makes a certificate that nobody has signed but itself, with nothing but Web Crypto: for examples
 * and tests. A service gets its own from an authority.
 *
 * @module
 */

/** A certificate and its private key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Tags of DER (X.690 §8). */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const SEQUENCE = 0x30;
const SET = 0x31;

const encoder = new TextEncoder();
const text = (string: string): Uint8Array => encoder.encode(string);

/** A value: its tag, its length, its content. */
function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, { length }) => sum + length, 0);
  const length = size < 0x80
    ? [size]
    : size < 0x100
    ? [0x81, size]
    : [0x82, size >> 8, size & 0xff];
  return Uint8Array.from([tag, ...length, ...contents.flatMap((content) => [...content])]);
}

/** Object identifiers, encoded: ecdsa-with-SHA256, commonName, subjectAltName. */
const ECDSA_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
const ALTERNATIVE_NAME = [0x55, 0x1d, 0x11];

const oid = (bytes: readonly number[]): Uint8Array =>
  der(OBJECT_IDENTIFIER, Uint8Array.from(bytes));

/** A number that is not negative. */
function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return der(INTEGER, Uint8Array.from((digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits));
}

/** A time as YYMMDDHHMMSSZ. */
function time(date: Date): Uint8Array {
  return der(UTC_TIME, text(`${date.toISOString().slice(2, 19).replace(/\D/g, "")}Z`));
}

function pem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

/** Makes a certificate for a name that is valid for a day (RFC 5280 §4.1). */
export async function selfSigned(name: string): Promise<Certificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const [publicKey, privateKey] = await Promise.all([
    crypto.subtle.exportKey("spki", keys.publicKey),
    crypto.subtle.exportKey("pkcs8", keys.privateKey),
  ]);
  const signedBy = der(SEQUENCE, oid(ECDSA_SHA256));
  const owner = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, oid(COMMON_NAME), der(UTF8_STRING, text(name)))),
  );
  const now = Date.now();
  const day = 24 * 60 * 60 * 1000;
  const names = der(SEQUENCE, der(0x82, text(name))); // [2] dNSName
  const unsigned = der(
    SEQUENCE,
    der(0xa0, integer(Uint8Array.of(2))), // [0] version 3
    integer(crypto.getRandomValues(new Uint8Array(16))),
    signedBy,
    owner,
    der(SEQUENCE, time(new Date(now - day)), time(new Date(now + day))),
    owner,
    new Uint8Array(publicKey),
    der(
      0xa3, // [3] extensions
      der(SEQUENCE, der(SEQUENCE, oid(ALTERNATIVE_NAME), der(OCTET_STRING, names))),
    ),
  );
  const signature = new Uint8Array(
    await crypto.subtle.sign(algorithm, keys.privateKey, unsigned as BufferSource),
  );
  // Web Crypto gives the two numbers side by side, a certificate has them as integers.
  const numbers = der(
    SEQUENCE,
    integer(signature.subarray(0, 32)),
    integer(signature.subarray(32)),
  );
  const certificate = der(
    SEQUENCE,
    unsigned,
    signedBy,
    der(BIT_STRING, Uint8Array.of(0), numbers),
  );
  return {
    cert: pem("CERTIFICATE", certificate),
    key: pem("PRIVATE KEY", new Uint8Array(privateKey)),
  };
}
