/**
 * The facts about a client: its addresses, its request, and the matching route.
 *
 * @module
 */
import type { RequestHead } from "../handshake/request_head.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Address, InternalTransport } from "../transport/transport.ts";
import type { ConnectionInfo, Forwarded, HandlerConnection } from "./connection_info.ts";
import type { Match } from "./routes.ts";

/** The part of a {@linkcode HandlerConnection} that is about the request. */
type RequestInfo =
  & ConnectionInfo
  & Pick<HandlerConnection, "host" | "rawRequest" | "pathArgs" | "params" | "subprotocol">
  & Pick<HandlerConnection, "toRequest">;

/** A client and its current request. A base class of connections, to save an object for each. */
export class RequestingClient implements RequestInfo {
  /** The connection of the runtime. */
  readonly transport: InternalTransport;
  /** The request head; `null` until it is complete. */
  head: RequestHead | null = null;
  /** See {@linkcode HandlerConnection.rawRequest}. */
  rawRequest: unknown = undefined;
  /** The route that matches the path of the request. */
  match: Match | null = null;
  /** The protocol version. Not valid before `match` is set. */
  version: WebSocketVersion = "rfc6455";
  /** The subprotocol that was chosen. */
  subprotocol: string | undefined = undefined;
  /** The facts about the client that a trusted proxy reports. */
  forwarded: Forwarded | null = null;

  /** @param transport The socket. */
  constructor(transport: InternalTransport) {
    this.transport = transport;
  }

  /** See {@linkcode ConnectionInfo.remoteAddress}. */
  get remoteAddress(): Address {
    const hostname = this.forwarded?.hostname;
    if (hostname !== undefined) return { transport: "tcp", hostname, port: 0 };
    return this.transport.remoteAddress;
  }

  /** See {@linkcode ConnectionInfo.localAddress}. */
  get localAddress(): Address {
    return this.transport.localAddress;
  }

  /** See {@linkcode ConnectionInfo.secure}. */
  get secure(): boolean {
    return this.forwarded?.secure ?? this.transport.secure;
  }

  /** See {@linkcode ConnectionInfo.peerCertificate}. */
  get peerCertificate(): HandlerConnection["peerCertificate"] {
    return this.transport.peerCertificate;
  }

  /** See {@linkcode ConnectionInfo.proxiedTls}. */
  get proxiedTls(): HandlerConnection["proxiedTls"] {
    return this.transport.proxiedTls;
  }

  /** See {@linkcode HandlerConnection.host}. */
  get host(): string {
    return this.head?.host ?? "";
  }

  /** See {@linkcode HandlerConnection.pathArgs}. */
  get pathArgs(): readonly string[] {
    return this.match?.args ?? [];
  }

  /** See {@linkcode HandlerConnection.params}. */
  get params(): Readonly<Record<string, string>> {
    return this.match?.params ?? {};
  }

  /** See {@linkcode HandlerConnection.toRequest}. */
  toRequest(): Request {
    if (this.head === null) throw new TypeError("Cannot make a Request: no request has arrived");
    return this.head.toRequest(this.secure ? "https" : "http");
  }

  /** Clears the request before the next one. */
  forgetRequest(): void {
    this.head = this.match = this.forwarded = null;
  }
}
