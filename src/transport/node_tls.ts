/**
 * Listeners with `node:tls`: on Node for all TLS, on Deno and Bun for options that their own listeners
 * do not support.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import { Certificates } from "./certificates.ts";
import { refusedCredentials, type ResolvedTls } from "./listener_options.ts";
import {
  type AddressKind,
  type NetServerModule,
  type NodeServer,
  peerOf,
  SERVER_OPTIONS,
  type ServerOptions,
} from "./node_server.ts";
import type { NodeSocket } from "./node_types.ts";
import { refusalOf, verifiedTransport } from "./node_peer_certificate.ts";
import type { VerifiedSocket } from "./peer_certificate.ts";
import { ProxiedTransport } from "./proxied_transport.ts";
import type { Introduction, Preface } from "./preface.ts";
import type { TlsGate, TlsHandshake } from "./transport.ts";

/** The part of `tls.Server` that is used. */
interface TlsServer extends NodeServer {
  setSecureContext(options: object): void;
  emit(event: "connection", socket: NodeSocket): unknown;
}

interface TlsServerOptions extends ServerOptions {
  readonly cert: string;
  readonly key: string;
  readonly handshakeTimeout: number;
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
  readonly ALPNProtocols?: string[];
  readonly SNICallback?: Certificates["callback"];
}

/** The part of a server's `tls.TLSSocket` that is used. */
type SecureSocket = NodeSocket & VerifiedSocket;

/** The part of `node:tls` that is used. */
interface TlsModule {
  createServer(options: TlsServerOptions, listener: (socket: SecureSocket) => void): TlsServer;
}

/** A socket before its TLS handshake. */
interface RawSocket extends NodeSocket {
  off(event: string, listener: (argument: never) => void): unknown;
  on(event: string, listener: (argument: never) => void): unknown;
  unshift(bytes: Uint8Array): void;
}

/** A handshake, and the PROXY header before it. */
interface Pending {
  readonly handshake: TlsHandshake;
  readonly introduction: Introduction | undefined;
}

/** What a TLS server needs besides its certificates. */
export interface TlsServerHooks {
  /** Limits the handshakes. */
  readonly gate: TlsGate;
  /** Reads the PROXY header before each handshake. */
  readonly preface: Preface | undefined;
  /** Starts a session of HTTP/2; `undefined` if it is not offered. */
  readonly sessions: ((socket: NodeSocket) => void) | undefined;
  /** The kind of sockets. */
  readonly kind: AddressKind;
}

/** Node's timeout for TLS handshakes, in milliseconds: the longest, because the gate has its own. */
const NO_TIMEOUT = 2 ** 31 - 1;

/**
 * Makes a TLS server.
 *
 * @returns The server to listen with, and its certificates.
 * @throws {TypeError} If a certificate or key is not usable.
 */
export function createTlsServer(
  tls: ResolvedTls,
  hooks: TlsServerHooks,
): { readonly server: NodeServer; readonly certificates: Certificates } {
  const certificates = new Certificates(tls);
  const { gate, preface, kind } = hooks;
  const offersHttp2 = hooks.sessions !== undefined;
  /** By the TCP socket below TLS. */
  const pending = new WeakMap<object, Pending>();
  const server = secureServer({ tls, certificates, offersHttp2 }, (socket) => {
    const handshake = pending.get(socket._parent ?? socket);
    if (handshake === undefined) socket.destroy();
    else finish(socket, handshake, { ...hooks, tls });
  });
  certificates.attach(server);
  server.on("tlsClientError", (error: Error, socket: NodeSocket) => {
    const { authorizationError } = socket as SecureSocket;
    const refusal = authorizationError ? refusalOf(socket as SecureSocket, tls) : undefined;
    pending.get(socket._parent ?? socket)?.handshake.failed(refusal ?? error);
    socket.destroy();
  });
  if (preface === undefined) {
    server.on("connection", (raw: NodeSocket) => {
      const peer = peerOf(raw, kind);
      const handshake = peer && gate.begin(peer, () => raw.destroy());
      if (handshake === undefined) raw.destroy();
      else pending.set(raw, { handshake, introduction: undefined });
    });
    return { server, certificates };
  }
  const outer = prefacedServer(preface, kind, (raw, handshake) => {
    pending.set(raw, handshake);
    server.emit("connection", raw);
  });
  return { server: outer, certificates };
}

/** What a TLS server offers. */
interface TlsOffer {
  readonly tls: ResolvedTls;
  readonly certificates: Certificates;
  readonly offersHttp2: boolean;
}

function secureServer(
  { tls, certificates, offersHttp2 }: TlsOffer,
  onSecure: (socket: SecureSocket) => void,
): TlsServer {
  const { cert, key, ca, clientCertificate } = tls;
  const { callback } = certificates;
  const { createServer } = requireBuiltin<TlsModule>("node:tls", "listen");
  try {
    return createServer({
      ...SERVER_OPTIONS,
      // With `allowHalfOpen`, a FIN during the handshake would not be reported.
      allowHalfOpen: false,
      handshakeTimeout: NO_TIMEOUT,
      ...{ cert, key },
      ...(offersHttp2 ? { ALPNProtocols: ["h2", "http/1.1"] } : {}),
      ...(callback === undefined ? {} : { SNICallback: callback }),
      ...(ca === undefined ? {} : {
        ca,
        requestCert: true,
        rejectUnauthorized: clientCertificate === "required",
      }),
    }, onSecure);
  } catch (error) {
    throw refusedCredentials(error);
  }
}

/** Ends a TLS handshake that has succeeded: checks the client's certificate, and makes a transport. */
function finish(
  socket: SecureSocket,
  { handshake, introduction }: Pending,
  { tls, kind, sessions }: TlsServerHooks & { readonly tls: ResolvedTls },
): void {
  const refusal = refusalOf(socket, tls);
  if (refusal !== undefined) {
    handshake.failed(refusal);
    socket.destroy();
    return;
  }
  if (sessions !== undefined && socket.alpnProtocol === "h2") {
    if (handshake.handedOver()) sessions(socket);
    else socket.destroy();
    return;
  }
  socket.allowHalfOpen = true;
  const transport = verifiedTransport(socket, kind);
  handshake.accepted(
    introduction === undefined ? transport : new ProxiedTransport(transport, introduction),
  );
}

/** Makes a TCP server that reads what comes before TLS. */
function prefacedServer(
  preface: Preface,
  kind: AddressKind,
  onHandshake: (raw: NodeSocket, pending: Pending) => void,
): NodeServer {
  const { createServer } = requireBuiltin<NetServerModule>("node:net", "listen");
  return createServer({ ...SERVER_OPTIONS, allowHalfOpen: false }, (socket) => {
    const raw = socket as RawSocket;
    const peer = peerOf(raw, kind);
    const destroy = () => void raw.destroy();
    // `close` follows.
    raw.on("error", () => {});
    const reader = peer && preface.begin(peer, destroy);
    if (peer === undefined || reader === undefined) return destroy();
    const onData = (chunk: Uint8Array): void => {
      const introduction = reader.receive(chunk);
      if (introduction === undefined) return;
      raw.off("data", onData);
      raw.pause();
      const { consumed, remoteAddress = peer, gate } = introduction;
      // TLS reads it from the stream.
      if (consumed < chunk.length) raw.unshift(chunk.subarray(consumed));
      const handshake = gate.begin(remoteAddress, destroy);
      if (handshake === undefined) destroy();
      else onHandshake(raw, { handshake, introduction });
    };
    raw.on("data", onData);
    raw.on("close", () => reader.gone());
  });
}
