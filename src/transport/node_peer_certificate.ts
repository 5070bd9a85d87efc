/**
 * The certificate that a client has shown to `node:tls`.
 *
 * @module
 */
import type { ResolvedTls } from "./listener_options.ts";
import type { NodeSocket } from "./node_types.ts";
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
export interface VerifiedSocket extends NodeSocket {
  /** Whether the certificate is valid and signed by an authority of `ca`. */
  readonly authorized?: boolean;
  /** Why it is not: a code, or an error with one. */
  readonly authorizationError?: unknown;
  /** Returns the certificate. */
  getPeerCertificate(): NodeCertificate | null | undefined;
}

/** Returns why a client is refused; `undefined` if it is not. */
export function refusalOf(
  socket: VerifiedSocket,
  { ca, clientCertificate }: ResolvedTls,
): Error | undefined {
  if (ca === undefined || socket.authorized === true) return undefined;
  if (rawOf(socket) === undefined) {
    return clientCertificate === "optional"
      ? undefined
      : new Error("TLS handshake failed: the client has no certificate");
  }
  const { authorizationError } = socket;
  const { code = authorizationError } = Object(authorizationError) as { code?: unknown };
  return new Error(`TLS handshake failed: the client's certificate is not valid: ${code}`);
}

/** Returns the client's certificate; `undefined` if it has none. */
export function certificateOf(socket: VerifiedSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerCertificate();
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

function rawOf(socket: VerifiedSocket): Uint8Array | undefined {
  return socket.getPeerCertificate()?.raw;
}
