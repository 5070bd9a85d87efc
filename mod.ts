/**
 * Tornado's WebSocket handler for Deno, Bun and Node: one handler class, one port, every WebSocket
 * version that shipped in a browser, from the drafts of 2010 to RFC 6455 with permessage-deflate.
 *
 * @example
 * ```ts
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 *
 * class EchoHandler extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const server = new Application([["/websocket", EchoHandler]]).listen({ port: 0 });
 * await server.shutdown();
 * ```
 *
 * @module
 */
export type {
  AccessEntry,
  AccessInfo,
  CloseEntry,
  HandshakeEntry,
  RefusalEntry,
  RequestEntry,
} from "./src/server/access_log.ts";
export { Application } from "./src/server/application.ts";
export type {
  Broker,
  BrokerEvents,
  BrokerHistory,
  BrokerPresence,
  BrokerStatus,
  HistoryLimits,
  HistoryPage,
  KeptMessage,
  Position,
  PresenceChange,
  PresenceEntry,
  StoredAt,
} from "./src/pubsub/brokers/broker.ts";
export type { ConnectionInfo, HandlerConnection } from "./src/server/connection_info.ts";
export {
  type HeaderFields,
  HttpError,
  ProtocolError,
  type RefusalReason,
  WebSocketClosedError,
} from "./src/errors.ts";
export type { MaybePromise } from "./src/guard.ts";
export { type AnyHandler, type HandlerClass, WebSocketHandler } from "./src/server/handler.ts";
export type { Attachment, AttachOptions } from "./src/server/attachment.ts";
export type { UpgradeServer } from "./src/server/upgrade_dispatch.ts";
export type { UpgradeRequest } from "./src/server/upgrade_request.ts";
export type { UpgradeSocket } from "./src/transport/attach.ts";
export type { ConnectedHandler } from "./src/server/connected_handler.ts";
export type { DiagnosticEvents } from "./src/server/diagnostics.ts";
export type { ConnectionRate } from "./src/connection/flood_control.ts";
export type { Rate } from "./src/connection/token_bucket.ts";
export type { HookContext } from "./src/server/hook_context.ts";
export type { LimitedHandler } from "./src/server/limited_handler.ts";
export type { CookieSecret } from "./src/handshake/signed_value.ts";
export type {
  AnyParams,
  RequestHandler,
  SignedCookieOptions,
} from "./src/server/request_handler.ts";
export type { Http2Fields } from "./src/handshake/extended_connect.ts";
export type {
  Http2ServerStream,
  Http2Socket,
  Http2Stream,
  Http2StreamSession,
} from "./src/transport/http2.ts";
export { WebSocketRequest } from "./src/handshake/web_socket_request.ts";
export type { WebSocketVersion } from "./src/handshake/versions.ts";
export type { JsonMessage, Message } from "./src/connection/message.ts";
export type { MessageSource } from "./src/connection/message_source.ts";
export { IncompleteMessageError, type MessageStream } from "./src/connection/message_stream.ts";
export {
  type AnyHandlerClass,
  type AnyRoute,
  type CheckedRoute,
  type CheckedRoutes,
  type Pattern,
  type PatternFor,
  type Route,
  route,
} from "./src/server/route_types.ts";
export type { Match } from "./src/server/routes.ts";
export type { ShutdownOptions } from "./src/server/connection_group.ts";
export type { ListenOptions, Server } from "./src/server/server.ts";
export type { CompressionOptions } from "./src/connection/compression.ts";
export type { ConnectionEnd, EndedBy } from "./src/connection/connection_end.ts";
export type { Fetch, FetchInfo } from "./src/http/fetch.ts";
export type { WhenSlow } from "./src/pubsub/subscriber.ts";
export type { Subscribed, SubscribeOptions } from "./src/pubsub/subscription.ts";
export type { History, HistoryMessage, HistoryOptions } from "./src/pubsub/history.ts";
export type { TopicHistory } from "./src/pubsub/history_settings.ts";
export type { PresenceEvent, PresenceOptions, Present } from "./src/pubsub/presence_entry.ts";
export type { HandlerLimits } from "./src/server/handler_limits.ts";
export type { Settings } from "./src/server/settings.ts";
export { type HasStats, metricsResponse } from "./src/metrics/prometheus.ts";
export type { BrokerStats, ConnectionStats, Stats } from "./src/metrics/snapshot.ts";
export type { HistogramStats } from "./src/metrics/histogram.ts";
export type { Count } from "./src/metrics/counters.ts";
export type { Traffic } from "./src/connection/traffic.ts";
export type { Published } from "./src/pubsub/broadcast.ts";
export type { RelayCounts } from "./src/pubsub/relay.ts";
export type {
  Address,
  Credentials,
  HostCredentials,
  ListenerOptions,
  PeerCertificate,
  ProxiedTls,
  Transport,
  TransportEvents,
} from "./src/transport/transport.ts";
export type { Clock } from "./src/timing/clock.ts";
