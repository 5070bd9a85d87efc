/**
 * The client certificate of a connection of `node:tls`.
 *
 * @module
 */
import type { PeerCertificate } from "./transport.ts";

/** The distinguished name of a certificate. */
type Name = Readonly<Record<string, string | readonly string[]>>;

/** What `getPeerCertificate` returns; empty if there is none. */
interface NodeCertificate {
  readonly subject?: Name | null;
  readonly issuer?: Name | null;
  readonly subjectaltname?: string;
  readonly serialNumber?: string;
  readonly valid_from?: string;
  readonly valid_to?: string;
  readonly fingerprint256?: string;
  readonly raw?: Uint8Array;
}

/** The part of a server's `tls.TLSSocket` that is about the client's certificate. */
export interface VerifiedSocket {
  /** Whether the certificate is valid and signed by an authority of `ca`. */
  readonly authorized?: boolean;
  /** Why the certificate is not valid: a code, or an error with a code. */
  readonly authorizationError?: unknown;
  /** Returns the certificate. Bun's `node:https` does not have it. */
  getPeerCertificate?(): NodeCertificate | null | undefined;
}

/** Returns the client's certificate; `undefined` if there is none or it is not valid. */
export function certificateOf(socket: VerifiedSocket): PeerCertificate | undefined {
  if (socket.authorized !== true) return undefined;
  const certificate = socket.getPeerCertificate?.();
  if (!certificate?.raw) return undefined;
  const { subject, issuer, raw } = certificate;
  return {
    subject: { ...subject },
    issuer: { ...issuer },
    subjectAltName: certificate.subjectaltname ?? "",
    serialNumber: certificate.serialNumber ?? "",
    validFrom: new Date(certificate.valid_from ?? NaN),
    validTo: new Date(certificate.valid_to ?? NaN),
    fingerprint256: certificate.fingerprint256 ?? "",
    raw: Uint8Array.from(raw),
  };
}
