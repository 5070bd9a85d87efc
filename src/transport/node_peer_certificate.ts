/**
 * Checks the certificates of clients, and keeps them.
 *
 * @module
 */
import type { ResolvedTls } from "./listener_options.ts";
import { NodeTransport } from "./node_socket.ts";
import type { NodeSocket } from "./node_types.ts";
import { certificateOf, type VerifiedSocket } from "./peer_certificate.ts";
import type { Address, PeerCertificate } from "./transport.ts";

/** Returns why a client is refused; `undefined` if it is not. */
export function refusalOf(
  socket: VerifiedSocket,
  { ca, clientCertificate }: ResolvedTls,
): Error | undefined {
  if (ca === undefined || socket.authorized === true) return undefined;
  if (!socket.getPeerCertificate?.()?.raw) {
    return clientCertificate === "optional"
      ? undefined
      : new Error("TLS handshake failed: the client has no certificate");
  }
  const { authorizationError } = socket;
  const { code = authorizationError } = Object(authorizationError) as { code?: unknown };
  return new Error(`TLS handshake failed: the client's certificate is not valid: ${code}`);
}

/** A connection whose client has shown a valid certificate. */
class VerifiedTransport extends NodeTransport {
  readonly peerCertificate: PeerCertificate;

  constructor(socket: NodeSocket, kind: Address["transport"] | undefined, own: PeerCertificate) {
    super(socket, kind);
    this.peerCertificate = own;
  }
}

/** Makes a transport that has the client's certificate, if there is a valid one. */
export function verifiedTransport(socket: NodeSocket, kind?: Address["transport"]): NodeTransport {
  // Read it now: a closed socket no longer has it.
  const certificate = certificateOf(socket as VerifiedSocket);
  if (certificate === undefined) return new NodeTransport(socket, kind);
  return new VerifiedTransport(socket, kind, certificate);
}
