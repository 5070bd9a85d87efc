/**
 * Writes the responses to handshakes of HTTP/1: a 101 or a refusal.
 *
 * @module
 */
import type { Writer } from "../connection/writer.ts";
import { writeLatin1 } from "../handshake/latin1.ts";
import { refusalResponse, statusOf } from "../http/error_response.ts";
import { handshakeResponse } from "./negotiation.ts";
import type { Responder } from "./opening.ts";
import { checkHandshake } from "./request_checks.ts";

/** Writes a response head, which has one character for each byte. */
export function writeHead(writer: Writer, head: string): void {
  const output = writer.output();
  const at = output.reserve(head.length);
  output.length = writeLatin1(head, output.bytes, at);
}

/** Responds on the transport of the connection. */
export const http1Responder: Responder = {
  check: checkHandshake,
  accept(connection, handler, result) {
    writeHead(connection.writer, handshakeResponse(connection, handler, result));
  },
  refuse(connection, error) {
    const response = refusalResponse(error, connection, connection.context.date.value);
    // `logException`, which may have been called, may have closed the connection.
    if (connection.isOpening) writeHead(connection.writer, response);
    return statusOf(response);
  },
};
