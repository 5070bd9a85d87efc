/**
 * WebSockets on streams of HTTP/2 (RFC 8441): whose a stream is, and how its handshake begins.
 *
 * @module
 */
import { corked } from "../connection/cork.ts";
import { quote, Refusal } from "../errors.ts";
import {
  asksForWebSocket,
  type Http2Fields,
  streamRequestHead,
} from "../handshake/extended_connect.ts";
import { upgradeRequired } from "../handshake/versions.ts";
import { type Http2ServerStream, http2Transport } from "../transport/http2.ts";
import { checkValue, OBJECT, objectWith } from "../validation.ts";
import type { ConnectionGroup } from "./connection_group.ts";
import type { Context } from "./context.ts";
import { Opening } from "./opening.ts";
import { admit } from "./request_checks.ts";
import { matchRoute } from "./routes.ts";
import type { ServerConnection } from "./server_connection.ts";
import { StreamExchange } from "./stream_exchange.ts";
import { StreamResponder } from "./stream_responder.ts";

const EMPTY = new Uint8Array(0);

/** A stream with its request. */
export interface HandedStream {
  /** The stream. */
  readonly stream: Http2ServerStream;
  /** The fields of the request. */
  readonly fields: Http2Fields;
  /** Refuses the request. */
  readonly refusal?: Refusal | undefined;
}

/** Whether a request asks for a WebSocket, and a route of the application matches its path. */
export function claimsStream({ routes }: Context, fields: Http2Fields): boolean {
  const { ":path": target } = fields;
  if (!asksForWebSocket(fields) || typeof target !== "string") return false;
  const mark = target.indexOf("?");
  try {
    return routes.match(mark === -1 ? target : target.slice(0, mark)) !== undefined;
  } catch {
    // The pattern matches, and a part of the path is malformed. The client gets status 400.
    return true;
  }
}

/** The refusal of an extended CONNECT for another protocol (RFC 9220 §3). */
export function unknownProtocol({ ":protocol": protocol }: Http2Fields): Refusal {
  const because = `the protocol ${quote(String(protocol))} is not served (RFC 9220 §3)`;
  return new Refusal(501, because, { reason: "method" });
}

const STREAM = objectWith("respond", "write", "end", "close", "pause", "resume");

/** See `Application.handleStream`. */
export function handleStream(context: Context, { stream, fields }: HandedStream): boolean {
  checkValue(stream, "Cannot handle the stream: stream", STREAM);
  checkValue(fields, "Cannot handle the stream: headers", OBJECT);
  if (!claimsStream(context, fields)) return false;
  if (stream.headersSent) throw new TypeError("Cannot handle the stream: it was answered already");
  serveStream(context.given, { stream, fields });
  return true;
}

/** Serves a stream that asks for a WebSocket, or refuses it. Nothing else may have responded. */
export function serveStream(group: ConnectionGroup, handed: HandedStream): void {
  take(group, handed, (connection, responder) => {
    const { fields, refusal } = handed;
    const opening = new Opening(connection, responder);
    connection.startWith(opening);
    try {
      if (refusal !== undefined) throw refusal;
      const limits = connection.context.settings;
      const head = streamRequestHead(fields, { method: "GET", limits });
      connection.head = head;
      admit(connection, head);
    } catch (error) {
      return opening.refuse(error);
    }
    opening.decide("rfc6455", EMPTY, true);
  });
}

/** Serves any stream: a WebSocket, or a request for the setting `fetch`. */
export function serveAnyStream(group: ConnectionGroup, handed: HandedStream): void {
  const { fields } = handed;
  if (asksForWebSocket(fields)) return serveStream(group, handed);
  if (fields[":protocol"] !== undefined) {
    return serveStream(group, { ...handed, refusal: unknownProtocol(fields) });
  }
  take(group, handed, (connection, responder) => {
    try {
      const exchange = plainExchange(connection, handed);
      connection.startWith(exchange);
      exchange.start();
    } catch (error) {
      const opening = new Opening(connection, responder);
      connection.startWith(opening);
      opening.refuse(error);
    }
  });
}

/** Makes the exchange of a plain request. @throws {Refusal} If the request is refused. */
function plainExchange(
  connection: ServerConnection,
  { stream, fields }: HandedStream,
): StreamExchange {
  const { settings, routes, counters } = connection.context;
  const hasBody = stream.endAfterHeaders === false;
  const head = streamRequestHead(fields, {
    method: String(fields[":method"]),
    limits: settings,
    chunked: hasBody && fields["content-length"] === undefined,
  });
  connection.head = head;
  admit(connection, head);
  const { fetch } = settings;
  if (fetch === undefined) {
    matchRoute(routes, head);
    throw upgradeRequired(settings.versions);
  }
  const exchange = new StreamExchange(connection, { stream, head, fetch });
  counters.requests++;
  return exchange;
}

/** Takes a stream as a connection of a group. */
function take(
  group: ConnectionGroup,
  { stream }: HandedStream,
  begin: (connection: ServerConnection, responder: StreamResponder) => void,
): void {
  const responder = new StreamResponder(stream);
  group.take(http2Transport(stream), {
    rawRequest: stream,
    begin: (connection) => corked(() => begin(connection, responder)),
    writeRefusal: (transport, refusal) => responder.reject(transport, refusal),
  });
}
