/**
 * Checks the options of `listen`.
 *
 * @module
 */
import { toError } from "../guard.ts";
import type { ListenerOptions } from "./transport.ts";
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

/** A certificate and its key in PEM. */
export interface Credentials {
  /** The certificate chain. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
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
  readonly tls: Credentials | undefined;
}

/** A port as a string, as `process.env` has it. */
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

/** The names of {@linkcode ListenerOptions}. `cert` and `key` are checked together. */
export const LISTENER_KINDS: Readonly<Record<keyof ListenerOptions, Kind | undefined>> = {
  port: PORT,
  hostname: STRING,
  path: STRING,
  fd: DESCRIPTOR,
  reusePort: BOOLEAN,
  cert: undefined,
  key: undefined,
  http2: BOOLEAN,
  onError: FUNCTION,
};

/**
 * Checks and completes options.
 *
 * @throws {TypeError} If a name is unknown, a value has a wrong type, two options exclude each
 * other, or only one of `cert` and `key`.
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
  return { hostname, port: Number(port ?? 0), path, fd, reusePort, tls: credentials(options) };
}

/** @throws {TypeError} If one of some options is given beside the one that excludes it. */
function checkAlone(
  options: ListenerOptions,
  name: string,
  excluded: readonly (keyof ListenerOptions)[],
): void {
  const other = excluded.find((one) => options[one] !== undefined);
  if (other === undefined) return;
  throw new TypeError(`Cannot listen: ${name} and ${other} exclude each other`);
}

/** Checks `http2`, which browsers speak over TLS only. @throws {TypeError} If there is no TLS. */
function checkHttp2({ http2 = false, ...options }: ListenerOptions): void {
  if (http2 && !("cert" in options)) {
    throw new TypeError("Cannot listen: http2 needs cert and key, got neither");
  }
}

/** Returns `cert` and `key`. If either is given, even as `undefined`, both must be valid. */
function credentials(options: ListenerOptions): Credentials | undefined {
  if (!("cert" in options || "key" in options)) return undefined;
  const { cert, key } = options;
  checkValue(cert, "Cannot listen with TLS: cert", PEM);
  checkValue(key, "Cannot listen with TLS: key", PEM);
  return { cert, key } as Credentials;
}

/** Makes the error for a certificate or key that the runtime refuses. */
export function refusedCredentials(error: unknown): TypeError {
  const { message } = toError(error);
  return new TypeError(`Cannot listen with TLS: cert or key is not usable: ${message}`, {
    cause: error,
  });
}
