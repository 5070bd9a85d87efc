/**
 * The class that a user extends: Tornado's `WebSocketHandler`.
 *
 * @module
 */
import type { CompressionOptions } from "../connection/compression.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { Message } from "../connection/message.ts";
import { type MaybePromise, requireSync } from "../guard.ts";
import { sameOrigin } from "../handshake/origin.ts";
import type { Published } from "../pubsub/broadcast.ts";
import type { SubscribeOptions } from "../pubsub/topics.ts";
import type { Application } from "./application.ts";
import type { HandlerConnection } from "./connection_info.ts";
import { type AnyParams, RequestHandler, requireConnection } from "./request_handler.ts";

/**
 * A handler class, as a route names it.
 *
 * @example
 * ```ts
 * import { WebSocketHandler } from "@waterspout/websocket";
 * import type { HandlerClass } from "@waterspout/websocket";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const handlers: Record<string, HandlerClass> = { sink: Sink };
 * console.assert("sink" in handlers);
 * ```
 */
export type HandlerClass<Options = unknown, Params extends object = object> = new (
  application: Application,
  request: Request | HandlerConnection,
  options: Options,
) => WebSocketHandler<Options, Params>;

/** A handler of any class, whatever its options and parameters are. */
export type AnyHandler = WebSocketHandler<unknown, object>;

/**
 * One WebSocket connection, whatever version its client speaks.
 *
 * Extend it and override {@linkcode onMessage}; everything else is optional. The callbacks of one
 * connection run one at a time and in order: nothing is delivered before {@linkcode open} settles,
 * and a promise that {@linkcode onMessage} returns holds back the next message and the reading.
 * What a callback throws or rejects goes to {@linkcode logException} and ends this connection alone.
 *
 * A wrong argument throws at once, a `TypeError` or a `RangeError`, whether the connection is alive or
 * not. On a connection that is closing or over, {@linkcode writeMessage} and {@linkcode subscribe}
 * return a promise that rejects with {@linkcode WebSocketClosedError}, and is safe to ignore;
 * {@linkcode publish} works as ever, and the other methods do nothing. Before the handshake is over,
 * messages wait for its end. All this holds for a client's connection too.
 *
 * @typeParam Options What the route passes, third in its tuple.
 * @typeParam Params The named parts of the route's pattern: `{ room: string }` for `/rooms/:room`.
 *
 * @example
 * ```ts
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 *
 * class Echo extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const app = new Application([["/echo", Echo]]);
 * const server = app.listen({ port: 0 });
 * await server.shutdown();
 * ```
 */
export abstract class WebSocketHandler<Options = unknown, Params extends object = AnyParams>
  extends RequestHandler<Options, Params> {
  readonly #connection: HandlerConnection | null;

  /**
   * Made for each connection whose handshake matches the route.
   *
   * @param application The application whose route led here.
   * @param request The connection, to be passed on as it is by a subclass; or a `Request`, for a test
   * of what depends on nothing else.
   * @param options The route's options.
   */
  constructor(application: Application, request: Request | HandlerConnection, options: Options) {
    super(application, request, options);
    this.#connection = request instanceof Request ? null : request;
  }

  #live(): HandlerConnection {
    return requireConnection(this.#connection);
  }

  // --- Hooks of the handshake -------------------------------------------------------------------

  /**
   * Whether a browser's page of this origin may connect (Tornado's `check_origin`). By default the
   * origin's scheme, host and port must be the server's own, or the setting `allowedOrigins` lists
   * it. It is not called for clients that send no origin.
   *
   * @param origin The `Origin` field as it was sent.
   */
  checkOrigin(origin: string): boolean {
    const connection = this.#live();
    return this.application.settings.allowedOrigins.includes(origin) ||
      sameOrigin(
        origin,
        requireSync("getWebSocketScheme", this.getWebSocketScheme()) === "wss" ? "https" : "http",
        connection.host,
      );
  }

  /**
   * Chooses one of the subprotocols that the client offers, in its order of preference; none by
   * default (Tornado's `select_subprotocol`). draft75 and draft76 offer one at the most.
   *
   * PhantomJS 1.9 makes one of several, `a,b` of `["a", "b"]`, and wants it back whole:
   * `offered.find((name) => name.split(/, ?/).includes("a"))` finds `a` in either form.
   *
   * @param _offered What the client offers; not called when it offers none.
   * @returns One of them, or `undefined`. Any other is a `TypeError` and refuses the handshake.
   */
  selectSubprotocol(_offered: readonly string[]): string | undefined {
    return undefined;
  }

  /** The subprotocol that was chosen. */
  get selectedSubprotocol(): string | undefined {
    return this.#live().subprotocol;
  }

  /**
   * Turns permessage-deflate on for this connection if the client offers it (Tornado's
   * `get_compression_options`); the setting `compression` by default.
   */
  getCompressionOptions(): CompressionOptions | undefined {
    return this.application.settings.compression;
  }

  /** Whether draft76 (and draft75, if it is in `versions`) may be spoken here. */
  allowDraft76(): boolean {
    return true;
  }

  /**
   * The scheme of the URL that the client used (Tornado's `get_websocket_scheme`): draft75 and
   * draft76 must be told. By default `"wss"` over TLS or if a trusted proxy says `https`.
   */
  getWebSocketScheme(): "ws" | "wss" {
    return this.#live().secure ? "wss" : "ws";
  }

  // --- Hooks of the connection ------------------------------------------------------------------

  /**
   * The connection is open. A promise holds messages back until it settles.
   *
   * @param _args The captured parts of the path in order, percent-decoded.
   */
  open(..._args: string[]): MaybePromise {
    return undefined;
  }

  /**
   * A message has arrived: a string if it was text, a `Uint8Array` that is the handler's own if it
   * was binary. A promise holds back the next message and the reading.
   */
  abstract onMessage(message: string | Uint8Array): MaybePromise;

  /** A ping has arrived; it is answered already. */
  onPing(_payload: Uint8Array): void {}

  /** A pong has arrived. */
  onPong(_payload: Uint8Array): void {}

  /** Output waited for the client, and has gone out. */
  onDrain(): void {}

  /**
   * The connection is over: exactly once for every connection whose `open()` was called.
   * {@linkcode closeCode} and {@linkcode closeReason} tell what the client said.
   */
  onClose(): MaybePromise {
    return undefined;
  }

  // --- What a handler does ----------------------------------------------------------------------

  /**
   * Sends a message: a string as text, a `Uint8Array` as binary, any other object or array as JSON
   * text. The bytes of a large `Uint8Array` must not change until the promise resolves.
   *
   * The promise resolves once less than `highWaterMark` bytes wait for the client, and rejects with
   * {@linkcode WebSocketClosedError} if the connection ended; it is safe to ignore.
   *
   * @throws {TypeError} If it is none of these, or binary and the version has only text.
   */
  writeMessage(message: Message): Promise<void> {
    return this.#live().writeMessage(message);
  }

  /**
   * Sends a ping; the pong goes to {@linkcode onPong}.
   *
   * @param payload Up to 125 bytes; text is sent as UTF-8.
   * @throws {TypeError} If the version has no ping (draft75, draft76).
   * @throws {RangeError} If the payload is longer.
   */
  ping(payload: string | Uint8Array = new Uint8Array(0)): void {
    this.#live().ping(payload);
  }

  /**
   * Starts the closing handshake; the socket is closed after it, or after `closeTimeout`. Further
   * calls do nothing.
   *
   * @param code 1000, 1001 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 §7.4); draft75 and
   * draft76 have none and send none.
   * @param reason Up to 123 bytes of UTF-8.
   * @throws {RangeError} If the code or the reason cannot be sent.
   */
  close(code?: number, reason?: string): void {
    this.#live().close(code, reason);
  }

  /** Ends the connection at once, with no closing handshake. */
  abort(): void {
    this.#live().abort();
  }

  /** The close code that the client sent; `undefined` if none (yet). */
  get closeCode(): number | undefined {
    return this.#live().closeCode;
  }

  /** The reason that the client sent with its close code; `""` if none. */
  get closeReason(): string {
    return this.#live().closeReason;
  }

  /** Why the connection ended; `undefined` until it has. */
  get ended(): ConnectionEnd | undefined {
    return this.#live().end;
  }

  /** Bytes that are written and not yet taken by the system. */
  get bufferedAmount(): number {
    return this.#live().bufferedAmount;
  }

  /** Sets TCP_NODELAY, which is on from the start (Tornado's `set_nodelay`). */
  setNodelay(on: boolean): void {
    this.#live().setNoDelay(on);
  }

  /**
   * Wraps a callback for a timer, a promise or an emitter, so that what it throws or rejects is
   * logged and aborts this connection, as in a hook (Tornado's `async_callback`).
   *
   * @param callback What to wrap.
   * @param bound Arguments to put before those of each call.
   * @returns The wrapped callback: it returns what `callback` does, or `undefined` if that failed.
   */
  asyncCallback<Bound extends unknown[], Rest extends unknown[], Result>(
    callback: (...args: [...Bound, ...Rest]) => Result,
    ...bound: Bound
  ): (...rest: Rest) => Result | undefined {
    return (...rest) => this.#live().guard(() => callback(...bound, ...rest));
  }

  // --- Topics -----------------------------------------------------------------------------------

  /**
   * Joins a topic, until {@linkcode unsubscribe} or the close of the connection, when it leaves all
   * by itself. Twice is once; after the close it does nothing.
   *
   * @param topic A name of 1 to 256 characters.
   * @param options What happens to messages while the client is slow.
   * @returns Resolves once messages of other processes arrive too; at once if there is no broker or
   * it is away. Those of this process arrive from the call on, so the promise is safe to ignore.
   * @throws {TypeError} If the topic is no such name, or the handshake is not over.
   */
  subscribe(topic: string, options?: SubscribeOptions): Promise<void> {
    return this.#live().subscribe(topic, options);
  }

  /**
   * Leaves a topic; harmless if it was not joined.
   *
   * @param topic The name.
   * @throws {TypeError} If the topic is no name.
   */
  unsubscribe(topic: string): void {
    this.#live().unsubscribe(topic);
  }

  /**
   * Sends a message to the other subscribers of a topic, in this process and, through the setting
   * `broker`, in others. It need not be subscribed to, and may be called in {@linkcode onClose}.
   *
   * @param topic The name.
   * @param message As {@linkcode writeMessage} takes it; it is encoded once for each wire format.
   * @returns To how many in this process it was sent, and how many could not be.
   * @throws {TypeError} If the topic is no name, or the message is none.
   */
  publish(topic: string, message: Message): Published {
    return this.#live().publish(topic, message);
  }
}
