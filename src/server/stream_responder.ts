/**
 * Responds to a handshake on a stream of HTTP/2 (RFC 8441).
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import {
  checkExtendedConnect,
  extendedConnectResponse,
  streamResponse,
} from "../handshake/extended_connect.ts";
import { encodeLatin1 } from "../handshake/latin1.ts";
import { errorContent, makeRefusal } from "../http/error_response.ts";
import type { Http2ServerStream } from "../transport/http2.ts";
import type { Transport } from "../transport/transport.ts";
import type { AnyHandler } from "./handler.ts";
import type { HandshakeResult } from "./negotiation.ts";
import type { Responder } from "./opening.ts";
import type { ServerConnection } from "./server_connection.ts";

/** Responds on one stream. */
export class StreamResponder implements Responder {
  readonly #stream: Http2ServerStream;

  /** @param stream The stream of the request. */
  constructor(stream: Http2ServerStream) {
    this.#stream = stream;
  }

  /** See {@linkcode Responder.check}. */
  check({ head, context }: ServerConnection): null {
    if (!context.settings.versions.includes("rfc6455")) {
      throw new Refusal(400, "rfc6455 is not accepted here, and HTTP/2 has no other version", {
        reason: "version",
      });
    }
    if (head !== null) checkExtendedConnect(head);
    return null;
  }

  /** See {@linkcode Responder.accept}. */
  accept(_connection: ServerConnection, _handler: AnyHandler, result: HandshakeResult): void {
    const { subprotocol: protocol, deflate, headers } = result;
    const extensions = deflate?.response;
    this.#respond(extendedConnectResponse({ protocol, extensions, headers }));
  }

  /** See {@linkcode Responder.refuse}. */
  refuse(connection: ServerConnection, error: unknown): number {
    return makeRefusal(error, connection, (refusal) => {
      const { fields, body } = errorContent(refusal);
      const response = streamResponse(refusal.status, fields);
      // `logException`, which may have been called, may have closed the connection.
      if (connection.isOpening) {
        this.#respond(response);
        connection.writer.writeRaw(encodeLatin1(body));
      }
      return refusal.status;
    });
  }

  /** Responds before the request was looked at. @param transport The stream's transport. */
  reject(transport: Transport, refusal: Refusal): void {
    const { fields, body } = errorContent(refusal);
    this.#respond(streamResponse(refusal.status, fields));
    transport.write(encodeLatin1(body), true);
  }

  /** The client of a closing stream does not receive a response. */
  #respond(fields: Record<string, string | string[]>): void {
    const { closed, destroyed } = this.#stream;
    if (!closed && !destroyed) this.#stream.respond(fields);
  }
}
