/**
 * Checks the options of `listen`.
 *
 * @module
 */
import { toError } from "../guard.ts";
import type { ListenerHooks } from "./preface.ts";
import type { Credentials, HostCredentials, ListenerOptions } from "./transport.ts";
import {
  BOOLEAN,
  checkOptions,
  checkValue,
  FUNCTION,
  type Kind,
  PEM,
  show,
  STRING,
} from "../validation.ts";

/** The options of TLS, checked and complete. */
export interface ResolvedTls extends Credentials {
  /** Certificates for certain host names. */
  readonly certificates: readonly HostCredentials[];
  /** The authorities of client certificates in PEM; `undefined` if no client is asked for one. */
  readonly ca: string | undefined;
  /** Whether a client without a certificate is accepted. */
  readonly clientCertificate: "required" | "optional";
  /** Whether the certificate can be replaced. */
  readonly renewable: boolean;
}

/** {@linkcode ListenerOptions}, checked and complete. */
export interface ResolvedListenerOptions {
  /** The address to bind. */
  readonly hostname: string;
  /** The TCP port. */
  readonly port: number;
  /** The path of a unix socket, instead of address and port. */
  readonly path: string | undefined;
  /** The descriptor of a socket that listens already, instead of address and port. */
  readonly fd: number | undefined;
  /** Whether several processes share the port. */
  readonly reusePort: boolean;
  /** For TLS; `undefined` for plain TCP. */
  readonly tls: ResolvedTls | undefined;
}

/** A port as a string, as in `process.env`. */
const DECIMAL = /^\d{1,5}$/;

const PORT: Kind = {
  expected: "an integer from 0 to 65535",
  hasType: (value) =>
    typeof value === "number" || (typeof value === "string" && DECIMAL.test(value)),
  inRange: (value) =>
    Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) < 65536,
};

const DESCRIPTOR: Kind = {
  expected: "a non-negative integer",
  hasType: (value) => typeof value === "number",
  inRange: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31,
};

/** The names of {@linkcode ListenerOptions}. The options of TLS are checked together. */
export const LISTENER_KINDS: Readonly<Record<keyof ListenerOptions, Kind | undefined>> = {
  port: PORT,
  hostname: STRING,
  path: STRING,
  fd: DESCRIPTOR,
  reusePort: BOOLEAN,
  cert: undefined,
  key: undefined,
  http2: BOOLEAN,
  certificates: undefined,
  ca: undefined,
  clientCertificate: undefined,
  renewable: undefined,
  onError: FUNCTION,
};

/**
 * Checks and completes options.
 *
 * @throws {TypeError} If a name is unknown, a value has a wrong type, two options exclude each
 * other, or an option of TLS is wrong or lacks `cert` or `key`.
 * @throws {RangeError} If the port is out of range.
 */
export function resolveListenerOptions(options: ListenerOptions): ResolvedListenerOptions {
  checkOptions(options, {
    kinds: LISTENER_KINDS,
    noun: "listen option",
    subject: (name) => `Cannot listen: ${name}`,
  });
  checkHttp2(options);
  const { port, hostname = "0.0.0.0", path, fd, reusePort = false } = options;
  if (path !== undefined && port !== undefined) {
    throw new TypeError(
      `Cannot listen: path (a unix socket, got ${show(path)}) and port exclude each other`,
    );
  }
  if (fd !== undefined) checkAlone(options, "fd", ["port", "hostname", "path", "reusePort"]);
  return { hostname, port: Number(port ?? 0), path, fd, reusePort, tls: resolveTls(options) };
}

/** Refuses options that exclude each other. @throws {TypeError} If two of them are given. */
function checkAlone(
  options: ListenerOptions,
  name: string,
  excluded: readonly (keyof ListenerOptions)[],
): void {
  const other = excluded.find((one) => options[one] !== undefined);
  if (other === undefined) return;
  throw new TypeError(`Cannot listen: ${name} and ${other} exclude each other`);
}

/** Checks `http2`, which needs TLS, as browsers do. @throws {TypeError} Without TLS. */
function checkHttp2({ http2 = false, ...options }: ListenerOptions): void {
  if (http2 && !("cert" in options)) {
    throw new TypeError("Cannot listen: http2 needs cert and key, got neither");
  }
}

/** The options of TLS. If one is given, even as `undefined`, it must be valid, with `cert` and `key`. */
const TLS_NAMES = ["cert", "key", "certificates", "ca", "clientCertificate", "renewable"] as const;

const CLIENT_CERTIFICATE: Kind = {
  expected: '"required" or "optional"',
  hasType: (value) => value === "required" || value === "optional",
};

const CERTIFICATES: Kind = {
  expected: "an array of { hostname, cert, key } that is not empty",
  hasType: (value) => Array.isArray(value) && value.length > 0,
};

const HOSTNAME: Kind = {
  expected: 'a host name such as "a.example" or "*.a.example"',
  hasType: (value) =>
    typeof value === "string" && /^(?:\*\.)?[a-z\d_-]+(?:\.[a-z\d_-]+)*$/i.test(value),
};

const CREDENTIALS: Readonly<Record<keyof Credentials, Kind>> = { cert: PEM, key: PEM };

const HOST_CREDENTIALS: Readonly<Record<keyof HostCredentials, Kind>> = {
  hostname: HOSTNAME,
  ...CREDENTIALS,
};

function resolveTls(options: ListenerOptions): ResolvedTls | undefined {
  if (!TLS_NAMES.some((name) => name in options)) return undefined;
  const { cert, key, certificates = [], ca, renewable = false } = options;
  const { clientCertificate = "required" } = options;
  const check = (name: typeof TLS_NAMES[number], kind: Kind): void =>
    checkValue(options[name], `Cannot listen with TLS: ${name}`, kind);
  check("cert", PEM);
  check("key", PEM);
  if ("certificates" in options) check("certificates", CERTIFICATES);
  for (const item of certificates) {
    checkCredentials(item, "Cannot listen with TLS: certificates", HOST_CREDENTIALS);
  }
  if ("ca" in options) check("ca", PEM);
  if ("renewable" in options) check("renewable", BOOLEAN);
  if ("clientCertificate" in options) {
    check("clientCertificate", CLIENT_CERTIFICATE);
    if (ca === undefined) throw new TypeError("Cannot listen with TLS: clientCertificate needs ca");
  }
  return { cert, key, certificates, ca, clientCertificate, renewable } as ResolvedTls;
}

/** Checks a certificate with its key. @param subject The beginning of an error. */
function checkCredentials(
  given: unknown,
  subject: string,
  kinds: Readonly<Record<string, Kind>>,
): void {
  const prefixed = (name: string) => `${subject}: ${name}`;
  checkOptions(given, { kinds, noun: "certificate option", subject: prefixed });
  for (const [name, kind] of Object.entries(kinds)) {
    checkValue(Reflect.get(given, name), prefixed(name), kind);
  }
}

/**
 * Checks the argument of `setCertificate`.
 *
 * @throws {TypeError} If it is not a certificate with its key, and a host name if there is one.
 */
export function checkCertificate(given: unknown): asserts given is HostCredentials | Credentials {
  const hasHostname = typeof given === "object" && given !== null && "hostname" in given;
  checkCredentials(
    given,
    "Cannot set the certificate",
    hasHostname ? HOST_CREDENTIALS : CREDENTIALS,
  );
}

/** The options that only `node:tls` supports. */
const NODE_TLS_NAMES = ["certificates", "ca", "renewable", "http2"] as const;

/** Whether the options need `node:tls`, which is slower on Deno and Bun. */
export function needsNodeTls(options: ListenerOptions, { preface }: ListenerHooks): boolean {
  // The TLS of Deno and Bun starts with the first byte, but the PROXY header comes before TLS.
  if (preface !== undefined && options.cert !== undefined) return true;
  return NODE_TLS_NAMES.some((name) => Boolean(options[name]));
}

/** Checks that no option needs `node:tls`. */
export function checkOwnTls(options: ListenerOptions, api: string): void {
  const missing = NODE_TLS_NAMES.find((name) => Boolean(options[name]));
  if (missing === undefined) return;
  throw new TypeError(
    `Cannot listen with ${api}: it has no option ${missing}; use Application.listen`,
  );
}

/** The purpose of a certificate. */
export interface CertificateUse {
  /** The beginning of an error. Default: `"Cannot listen with TLS"`. */
  readonly action?: string;
  /** The host name; `undefined` for the certificate of all others. */
  readonly hostname?: string;
}

/** Makes the error for a certificate or key that the runtime refuses. */
export function refusedCredentials(
  error: unknown,
  { action = "Cannot listen with TLS", hostname }: CertificateUse = {},
): TypeError {
  const { message } = toError(error);
  const which = hostname === undefined ? "" : ` of ${hostname}`;
  return new TypeError(`${action}: cert or key${which} is not usable: ${message}`, {
    cause: error,
  });
}

/** Makes the error for a new certificate where there is no TLS. */
export function notSecure(): TypeError {
  return new TypeError("Cannot set the certificate: the listener does not use TLS");
}

/** Makes the error for a new certificate where the runtime cannot replace it. */
export function notRenewable(api: string): TypeError {
  return new TypeError(
    `Cannot set the certificate: ${api} cannot replace one; listen with the option renewable`,
  );
}
