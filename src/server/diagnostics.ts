/**
 * The events that the server publishes on channels of `node:diagnostics_channel`.
 *
 * @module
 */
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { RefusalReason } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { DiagnosticsChannel } from "../metrics/diagnostics_channel.ts";
import type { Address } from "../transport/transport.ts";
import type { AnyHandler } from "./handler.ts";

/**
 * The events on channels of `node:diagnostics_channel`, by channel name. Events are published
 * synchronously, and only created if the channel has a listener. If you bind a store
 * (`channel.bindStore`) to the channel of `open`, `message` or `close`, the callback of that name can
 * read it. As always with these channels, an exception in a listener is an uncaught exception.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { subscribe } from "node:diagnostics_channel";
 * import { Application, type DiagnosticEvents, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const sizes: number[] = [];
 * subscribe("waterspout:message", (event) => {
 *   const { message } = event as DiagnosticEvents["waterspout:message"];
 *   sizes.push(message.length);
 * });
 *
 * const client = await connect(new Application([["/", Sink]]), "/");
 * client.writeMessage("Hello");
 * client.close();
 * await client.closed;
 * assertEquals(sizes, [5]);
 * ```
 */
export interface DiagnosticEvents {
  /** A handshake was accepted, was refused, or failed. */
  readonly "waterspout:handshake": {
    /** The address of the client. */
    readonly remoteAddress: Address;
    /** The method; `undefined` if no complete request arrived. */
    readonly method: string | undefined;
    /** The path without the query; `undefined` if no complete request arrived. */
    readonly path: string | undefined;
    /** The version; `undefined` if it is not known. */
    readonly version: WebSocketVersion | undefined;
    /** The handler; `null` if none was made. */
    readonly handler: AnyHandler | null;
    /** The status of the response: 101 if it was accepted; `undefined` if there was no response. */
    readonly status: number | undefined;
    /** Why it was refused or failed; `undefined` if it was accepted. */
    readonly reason: RefusalReason | undefined;
  };
  /** `open()` is about to be called. */
  readonly "waterspout:open": {
    /** The handler. */
    readonly handler: AnyHandler;
  };
  /** `onMessage()` is about to be called. */
  readonly "waterspout:message": {
    /** The handler. */
    readonly handler: AnyHandler;
    /** The message. */
    readonly message: string | Uint8Array;
  };
  /** `onMessageStream()` is about to be called. */
  readonly "waterspout:messageStream": {
    /** The handler. */
    readonly handler: AnyHandler;
    /** Whether the message is text or binary. Only the handler reads its content. */
    readonly kind: "text" | "binary";
  };
  /** `onClose()` is about to be called. */
  readonly "waterspout:close": {
    /** The handler. */
    readonly handler: AnyHandler;
    /** Why the connection ended. */
    readonly end: ConnectionEnd;
  };
  /** The application threw, and `logException()` or the setting `log` is about to be called. */
  readonly "waterspout:error": {
    /** The handler; `null` if there is none. */
    readonly handler: AnyHandler | null;
    /** The value that was thrown. */
    readonly error: unknown;
  };
}

/** The part of a connection that the event of its handshake uses. */
interface Asking {
  readonly remoteAddress: Address;
  readonly head: Pick<RequestHead, "method" | "path"> | null;
  readonly match: object | null;
  readonly version: WebSocketVersion;
  readonly handler: AnyHandler | null;
}

/** See {@linkcode DiagnosticEvents}. */
export const HANDSHAKE: DiagnosticsChannel<
  [client: Asking, status: number | undefined, reason?: RefusalReason],
  DiagnosticEvents["waterspout:handshake"]
> = new DiagnosticsChannel("waterspout:handshake", (client, status, reason) => {
  const { remoteAddress, head, match, version, handler } = client;
  const request = { method: head?.method, path: head?.path };
  const known = match === null ? undefined : version;
  return { remoteAddress, ...request, version: known, handler, status, reason };
});

/** See {@linkcode DiagnosticEvents}. */
export const OPEN: DiagnosticsChannel<
  [handler: AnyHandler],
  DiagnosticEvents["waterspout:open"]
> = new DiagnosticsChannel("waterspout:open", (handler) => ({ handler }));

/** See {@linkcode DiagnosticEvents}. */
export const MESSAGE: DiagnosticsChannel<
  [handler: AnyHandler, message: string | Uint8Array],
  DiagnosticEvents["waterspout:message"]
> = new DiagnosticsChannel("waterspout:message", (handler, message) => ({ handler, message }));

/** See {@linkcode DiagnosticEvents}. */
export const MESSAGE_STREAM: DiagnosticsChannel<
  [handler: AnyHandler, kind: "text" | "binary"],
  DiagnosticEvents["waterspout:messageStream"]
> = new DiagnosticsChannel("waterspout:messageStream", (handler, kind) => ({ handler, kind }));

/** See {@linkcode DiagnosticEvents}. */
export const CLOSE: DiagnosticsChannel<
  [handler: AnyHandler, end: ConnectionEnd],
  DiagnosticEvents["waterspout:close"]
> = new DiagnosticsChannel("waterspout:close", (handler, end) => ({ handler, end }));

/** See {@linkcode DiagnosticEvents}. */
export const ERROR: DiagnosticsChannel<
  [handler: AnyHandler | null, error: unknown],
  DiagnosticEvents["waterspout:error"]
> = new DiagnosticsChannel("waterspout:error", (handler, error) => ({ handler, error }));

/** Publishes a refusal before the request. */
export function publishEarlyRefusal(
  remoteAddress: Address,
  reason: RefusalReason,
  status: number | undefined,
): void {
  const client = { remoteAddress, head: null, match: null, handler: null } as const;
  HANDSHAKE.publish({ ...client, version: "rfc6455" }, status, reason);
}
