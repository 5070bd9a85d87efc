/**
 * Writes the responses to handshakes of HTTP/1: a 101 or a refusal.
 *
 * @module
 */
import type { Writer } from "../connection/writer.ts";
import { draft75Response } from "../handshake/draft75.ts";
import { draft76Response } from "../handshake/draft76.ts";
import { writeLatin1 } from "../handshake/latin1.ts";
import { writeRfc6455Response } from "../handshake/rfc6455.ts";
import { isDraft } from "../handshake/versions.ts";
import { webSocketLocation } from "../handshake/web_socket_url.ts";
import { refusalResponse, statusOf } from "../http/error_response.ts";
import type { AnyHandler } from "./handler.ts";
import { type HandshakeResult, schemeOf } from "./negotiation.ts";
import type { Responder } from "./opening.ts";
import { checkHandshake } from "./request_checks.ts";
import type { ServerConnection } from "./server_connection.ts";

/** Writes a response head, which has one character for each byte. */
export function writeHead(writer: Writer, head: string): void {
  const output = writer.output();
  const at = output.reserve(head.length);
  output.length = writeLatin1(head, output.bytes, at);
}

/** Responds on the transport of the connection. */
export const http1Responder: Responder = {
  check: checkHandshake,
  accept: writeResponse,
  refuse(connection, error) {
    const response = refusalResponse(error, connection, connection.context.date.value);
    // `logException` may have closed the connection.
    if (connection.isOpening) writeHead(connection.writer, response);
    return statusOf(response);
  },
};

/** Writes the 101 response. */
function writeResponse(
  { head, version, writer }: ServerConnection,
  handler: AnyHandler,
  { subprotocol: protocol, deflate, headers }: HandshakeResult,
): void {
  if (head === null) throw new TypeError("Cannot answer a handshake: no request has arrived");
  if (!isDraft(version)) {
    const key = head.get("sec-websocket-key") ?? "";
    const extensions = deflate?.response;
    return writeRfc6455Response(writer.output(), { key, extensions, protocol, headers });
  }
  const location = webSocketLocation(schemeOf(handler), head);
  const fields = { origin: head.get("origin"), location, protocol, headers };
  writeHead(writer, version === "draft76" ? draft76Response(fields) : draft75Response(fields));
}
