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
 * @throws {TypeError} If a name is unknown, a value has a wrong type, both `path` and `port` are
 * given, or only one of `cert` and `key`.
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
