/**
 * Checks where and how to listen, before anything does.
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

/** Certificate and key in PEM. */
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
  /** A unix socket's path, instead of address and port. */
  readonly path: string | undefined;
  /** Whether several processes share the port. */
  readonly reusePort: boolean;
  /** With them, the listener speaks TLS. */
  readonly tls: Credentials | undefined;
}

/** The decimal numbers that `process.env` may have for a port. */
const DECIMAL = /^\d{1,5}$/;

const PORT: Kind = {
  expected: "an integer from 0 to 65535",
  hasType: (value) =>
    typeof value === "number" || (typeof value === "string" && DECIMAL.test(value)),
  inRange: (value) =>
    Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) < 65536,
};

/** The names of {@linkcode ListenerOptions}. `cert` and `key` are checked together. */
export const LISTENER_KINDS: Readonly<Record<keyof ListenerOptions, Kind | undefined>> = {
  port: PORT,
  hostname: STRING,
  path: STRING,
  reusePort: BOOLEAN,
  cert: undefined,
  key: undefined,
  onError: FUNCTION,
};

/**
 * Checks and completes options.
 *
 * @throws {TypeError} If a name is unknown, a value has a wrong type, `path` and `port` exclude each
 * other, or TLS is asked for and a part of it is missing.
 * @throws {RangeError} If the port is out of range.
 */
export function resolveListenerOptions(options: ListenerOptions): ResolvedListenerOptions {
  checkOptions(options, {
    kinds: LISTENER_KINDS,
    noun: "listen option",
    subject: (name) => `Cannot listen: ${name}`,
  });
  const { port, hostname = "0.0.0.0", path, reusePort = false } = options;
  if (path !== undefined && port !== undefined) {
    throw new TypeError(
      `Cannot listen: path (a unix socket, got ${show(path)}) and port exclude each other`,
    );
  }
  return { hostname, port: Number(port ?? 0), path, reusePort, tls: credentials(options) };
}

/** An option that is there but `undefined` comes from a variable that is not set: never plain TCP. */
function credentials(options: ListenerOptions): Credentials | undefined {
  if (!("cert" in options || "key" in options)) return undefined;
  const { cert, key } = options;
  checkValue(cert, "Cannot listen with TLS: cert", PEM);
  checkValue(key, "Cannot listen with TLS: key", PEM);
  return { cert, key } as Credentials;
}

/** The error for a certificate or key that the runtime does not take. */
export function refusedCredentials(error: unknown): TypeError {
  const { message } = toError(error);
  return new TypeError(`Cannot listen with TLS: cert or key is not usable: ${message}`, {
    cause: error,
  });
}
