/**
 * The certificates of a `node:tls` listener. They can be replaced while the server is listening.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import {
  type CertificateUse,
  checkCertificate,
  refusedCredentials,
  type ResolvedTls,
} from "./listener_options.ts";
import type { Credentials, HostCredentials } from "./transport.ts";

/** A `tls.SecureContext`. */
type SecureContext = object;

/** The options of a context. */
interface ContextOptions extends Credentials {
  readonly ca?: string;
}

/** The part of `node:tls` that is used. */
interface TlsModule {
  createSecureContext(options: ContextOptions): SecureContext;
}

/** The part of `node:crypto` that is used. */
interface CryptoModule {
  createPrivateKey(pem: string): object;
  readonly X509Certificate: new (pem: string) => { checkPrivateKey(key: object): boolean };
}

/** The part of `tls.Server` that is used. */
interface RenewableServer {
  setSecureContext(options: ContextOptions): void;
}

/** The certificate for all host names, and those for certain ones. */
export class Certificates {
  readonly #ca: string | undefined;
  /** The contexts by host name, in lower case; `null` without `SNICallback`. */
  readonly #contexts: Map<string, SecureContext> | null;
  #server: RenewableServer | undefined;

  /**
   * Checks the certificates.
   *
   * @throws {TypeError} If one is not usable.
   */
  constructor({ cert, key, certificates, ca }: ResolvedTls) {
    this.#ca = ca;
    checkUsable({ cert, key });
    if (ca !== undefined) checkAuthorities(ca);
    this.#contexts = certificates.length === 0 ? null : new Map();
    for (const item of certificates) this.#add(item);
  }

  /** The `SNICallback` of the server; `undefined` if it needs none. */
  get callback():
    | ((name: string, done: (error: null, context: SecureContext | undefined) => void) => void)
    | undefined {
    if (this.#contexts === null) return undefined;
    return (name, done) => done(null, this.#find(name));
  }

  /** Sets the server whose certificate is replaced. */
  attach(server: RenewableServer): void {
    this.#server = server;
  }

  /**
   * Replaces a certificate for new connections.
   *
   * @throws {TypeError} If it is not usable. The old one stays then.
   */
  set(certificate: Credentials | HostCredentials): void {
    checkCertificate(certificate);
    const action = "Cannot set the certificate";
    if ("hostname" in certificate) return this.#add(certificate, action);
    checkUsable(certificate, { action });
    this.#server?.setSecureContext(this.#contextOf(certificate));
  }

  #add(certificate: HostCredentials, action?: string): void {
    const { hostname } = certificate;
    if (this.#contexts === null) {
      throw new TypeError(
        `Cannot set the certificate of ${hostname}: listen without the option certificates`,
      );
    }
    checkUsable(certificate, { hostname, ...(action === undefined ? {} : { action }) });
    const { createSecureContext } = requireBuiltin<TlsModule>("node:tls", "listen");
    this.#contexts.set(hostname.toLowerCase(), createSecureContext(this.#contextOf(certificate)));
  }

  #contextOf({ cert, key }: Credentials): ContextOptions {
    return { cert, key, ...(this.#ca === undefined ? {} : { ca: this.#ca }) };
  }

  /** A wildcard stands for one label (RFC 6125 §6.4.3). */
  #find(name: string): SecureContext | undefined {
    const host = name.toLowerCase();
    const rest = host.indexOf(".");
    return this.#contexts?.get(host) ??
      this.#contexts?.get(`*${rest === -1 ? "" : host.slice(rest)}`);
  }
}

/** Checks a certificate. Without this, Deno would find the error only in a TLS handshake. */
function checkUsable({ cert, key }: Credentials, use?: CertificateUse): void {
  const { X509Certificate, createPrivateKey } = requireBuiltin<CryptoModule>(
    "node:crypto",
    "listen",
  );
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  } catch (error) {
    throw refusedCredentials(error, use);
  }
  throw refusedCredentials(new Error("the key is not that of the certificate"), use);
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function checkAuthorities(ca: string): void {
  const { X509Certificate } = requireBuiltin<CryptoModule>("node:crypto", "listen");
  try {
    for (const block of ca.match(PEM_BLOCK) ?? [ca]) new X509Certificate(block);
  } catch (error) {
    throw new TypeError("Cannot listen with TLS: ca is not usable", { cause: error });
  }
}
