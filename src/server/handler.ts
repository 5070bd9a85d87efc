/**
 * The class that a user extends: Tornado's `WebSocketHandler`.
 *
 * @module
 */
import type { CompressionOptions } from "../connection/compression.ts";
import type { Message } from "../connection/message.ts";
import type { MessageSource } from "../connection/message_source.ts";
import type { MessageStream } from "../connection/message_stream.ts";
import { type MaybePromise, requireSync } from "../guard.ts";
import { sameOrigin } from "../handshake/origin.ts";
import type { Published } from "../pubsub/broadcast.ts";
import type { Subscribed, SubscribeOptions } from "../pubsub/subscription.ts";
import type { Application } from "./application.ts";
import { ConnectedHandler } from "./connected_handler.ts";
import type { HandlerConnection } from "./connection_info.ts";
import { type AnyParams, requireConnection } from "./request_handler.ts";

/**
 * The type of a handler class in a route.
 *
 * @typeParam Options The options that the class needs.
 * @typeParam Params The route parameters that the class names.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { WebSocketHandler } from "@waterspout/websocket";
 * import type { HandlerClass } from "@waterspout/websocket";
 *
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 * }
 *
 * const handlers: Record<string, HandlerClass> = { sink: Sink };
 * assert("sink" in handlers);
 * ```
 */
export type HandlerClass<Options = unknown, Params extends object = object> = new (
  application: Application,
  request: Request | HandlerConnection,
  options: Options,
) => WebSocketHandler<Options, Params>;

/**
 * A handler of any class.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type AnyHandler, WebSocketHandler } from "@waterspout/websocket";
 *
 * const clients = new Set<AnyHandler>();
 * class Room extends WebSocketHandler<{ size: number }, { room: string }> {
 *   override open(): void {
 *     clients.add(this);
 *   }
 *   onMessage(): void {}
 *   override onClose(): void {
 *     clients.delete(this);
 *   }
 * }
 * assert(clients.size === 0 && Room.name === "Room");
 * ```
 */
export type AnyHandler = WebSocketHandler<unknown, object>;

/**
 * One WebSocket connection, in any version of the protocol.
 *
 * Extend it and override {@linkcode onMessage}. All other callbacks are optional.
 *
 * **Order.** The callbacks of one connection run one at a time, in order. If {@linkcode open} or
 * {@linkcode onMessage} returns a promise, the next message waits for it. When enough input waits, the
 * server stops reading from this client.
 *
 * **Errors.** A wrong argument throws a `TypeError` or a `RangeError` at once, in every state of the
 * connection. Before the handshake is complete, messages are kept and sent after it. When the
 * connection is closing or closed, {@linkcode writeMessage} and {@linkcode subscribe} return a promise
 * that rejects with {@linkcode WebSocketClosedError}; you may ignore it. {@linkcode publish} still
 * works, and the other methods do nothing. A client's connection behaves in the same way. An exception
 * in a callback goes to {@linkcode logException} and closes this connection with code 1011.
 *
 * @typeParam Options The type of the route's options.
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
  extends ConnectedHandler<Options, Params> {
  readonly #connection: HandlerConnection | null;

  /**
   * Made for each connection whose handshake matches the route.
   *
   * @param application The application that has the route.
   * @param request The connection. A subclass passes it to `super`. A test may pass a `Request`: then
   * the handler has arguments, cookies and options, and no connection.
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
   * Decides whether a web page of this origin may connect (Tornado's `check_origin`). Not called if
   * the client sends no `Origin`. Default: accepts the server's own scheme, host and port, and the
   * origins in the setting `allowedOrigins`.
   *
   * @param origin The value of the `Origin` header.
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
   * Chooses one of the subprotocols that the client offers (Tornado's `select_subprotocol`). Not
   * called if the client offers none. Default: chooses none.
   *
   * draft75 and draft76 offer at most one. PhantomJS 1.9 joins several into one (`a,b`) and expects
   * the same text back: `offered.find((name) => name.split(/, ?/).includes("a"))` finds both forms.
   *
   * @param _offered What the client offers, in its order of preference.
   * @returns One of the offered names, or `undefined`. Any other value is a `TypeError` and refuses
   * the handshake.
   */
  selectSubprotocol(_offered: readonly string[]): string | undefined {
    return undefined;
  }

  /** The subprotocol in use; `undefined` if there is none. */
  get selectedSubprotocol(): string | undefined {
    return this.#live().subprotocol;
  }

  /**
   * Returns how to compress messages, if the client offers permessage-deflate (Tornado's
   * `get_compression_options`). Default: the setting `compression`.
   *
   * @returns `undefined` for no compression.
   */
  getCompressionOptions(): CompressionOptions | undefined {
    return this.application.settings.compression;
  }

  /**
   * Decides whether this handler accepts draft76, and draft75 if the setting `versions` has it.
   * Default: accepts both.
   */
  allowDraft76(): boolean {
    return true;
  }

  /**
   * Returns the scheme of the URL that the client used (Tornado's `get_websocket_scheme`). The
   * responses of draft75 and draft76 repeat the URL. Default: `"wss"` over TLS, or if a trusted proxy
   * says `https`.
   */
  getWebSocketScheme(): "ws" | "wss" {
    return this.#live().secure ? "wss" : "ws";
  }

  // --- Hooks of the connection ------------------------------------------------------------------

  /**
   * Called when the connection is open. Messages wait for a returned promise.
   *
   * @param _args The captured parts of the path, in order and percent-decoded.
   */
  open(..._args: string[]): MaybePromise {
    return undefined;
  }

  /**
   * Called with each message. The next message waits for a returned promise.
   *
   * @param message A string for a text message, a `Uint8Array` for a binary one. The handler may change
   * the array, and keep it unless {@linkcode borrowMessages} is true.
   */
  abstract onMessage(message: string | Uint8Array): MaybePromise;

  /**
   * Called with each message as a stream. If a handler defines this method, {@linkcode onMessage} is not
   * called. The handler can read a message while it arrives, so the message need not fit into memory.
   * For large messages, raise {@linkcode maxMessageSize}.
   *
   * The next message waits until the returned promise settles and the stream was read to its end or
   * cancelled. If nobody is reading the stream when the promise settles, the stream is cancelled. The
   * server receives and drops the rest of a cancelled message. The server stops reading from the client
   * while `maxQueuedSize` bytes wait.
   *
   * If the connection ends before the message is complete, the stream fails with an
   * `IncompleteMessageError`. You need not catch it: it is not logged.
   *
   * @param stream The message. `stream.kind` says whether it is text or binary.
   */
  onMessageStream?(stream: MessageStream): MaybePromise;

  /** Called with the payload of each ping. The pong was sent already. */
  onPing(_payload: Uint8Array): void {}

  /** Called with the payload of each pong. */
  onPong(_payload: Uint8Array): void {}

  /** Called when a slow client has caught up: all waiting output was sent. */
  onDrain(): void {}

  /**
   * Called when the connection is closed, exactly once if `open()` was called. {@linkcode ended} is the
   * cause; {@linkcode closeCode} and {@linkcode closeReason} are what the client sent.
   */
  onClose(): MaybePromise {
    return undefined;
  }

  // --- What a handler does ----------------------------------------------------------------------

  /**
   * Sends a message: a string as text, a buffer or a view of one as binary, a plain object or an array
   * as JSON text. Do not change the bytes of a binary message until the promise resolves.
   *
   * @returns A promise that resolves once at most `highWaterMark` bytes wait for the client. It rejects
   * with {@linkcode WebSocketClosedError} if the connection closes before, and is safe to ignore.
   * @throws {TypeError} If the argument is not a message, or is binary and the version has only text.
   */
  writeMessage(message: Message): Promise<void>;
  /**
   * Sends one message in pieces. The source is an async iterable or a `ReadableStream`: of strings for a
   * text message, or of buffers or views of buffers for a binary message. The next piece is read from
   * the source when at most `highWaterMark` bytes wait for the client.
   *
   * Other messages wait until this one is complete; pings do not. Await the promise before you call
   * {@linkcode close}, which cuts the message off. If the source throws or yields a wrong piece, the
   * connection is closed with 1011, because the message cannot be completed. If the connection ends
   * first, the source is cancelled.
   *
   * @returns A promise that resolves when the last piece is written and at most `highWaterMark` bytes
   * wait. It rejects with {@linkcode WebSocketClosedError} if the connection closes first, and is safe
   * to ignore.
   * @throws {TypeError} If the stream is locked.
   */
  writeMessage(source: MessageSource): Promise<void>;
  writeMessage(message: Message | MessageSource): Promise<void> {
    return this.#live().writeMessage(message);
  }

  /**
   * Sends a ping. {@linkcode onPong} is called with the pong.
   *
   * @param payload At most 125 bytes. A string is sent as UTF-8. Default: empty.
   * @throws {TypeError} If the version has no ping (draft75, draft76).
   * @throws {RangeError} If the payload is too long.
   */
  ping(payload: string | Uint8Array = new Uint8Array(0)): void {
    this.#live().ping(payload);
  }

  /**
   * Starts the closing handshake. The socket is closed after it, or after `closeTimeout`. A second
   * call does nothing.
   *
   * Messages that the client sent before its own close frame are still delivered, as in Tornado.
   * No message can be sent any more: {@linkcode writeMessage} rejects.
   *
   * @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455 §7.4). draft75 and draft76 do
   * not send it. Default: a close frame without a code.
   * @param reason At most 123 bytes of UTF-8.
   * @throws {RangeError} If the code or the reason cannot be sent.
   */
  close(code?: number, reason?: string): void {
    this.#live().close(code, reason);
  }

  /** Closes the socket at once, without a closing handshake. */
  abort(): void {
    this.#live().abort();
  }

  /** Sets TCP_NODELAY (Tornado's `set_nodelay`). Default: on. */
  setNodelay(on: boolean): void {
    this.#live().setNoDelay(on);
  }

  /**
   * Wraps a callback for a timer, a promise or an event emitter. An exception in it is logged and
   * closes this connection with 1011, as in {@linkcode onMessage} (Tornado's `async_callback`).
   *
   * @param callback The callback to wrap.
   * @param bound Arguments to put before those of each call.
   * @returns A function that returns what `callback` returns, or `undefined` if it throws.
   */
  asyncCallback<Bound extends unknown[], Rest extends unknown[], Result>(
    callback: (...args: [...Bound, ...Rest]) => Result,
    ...bound: Bound
  ): (...rest: Rest) => Result | undefined {
    return (...rest) => this.#live().guard(() => callback(...bound, ...rest));
  }

  // --- Topics -----------------------------------------------------------------------------------

  /**
   * Subscribes to a topic, until {@linkcode unsubscribe} or the end of the connection. A second call
   * for the same topic only changes the options.
   *
   * @param topic A string of 1 to 256 characters.
   * @param options What to do with messages while the client is slow, what the client has missed, and who
   * it is.
   * @returns A promise that resolves when messages of other processes arrive too, or at once without a
   * working broker. Messages of this process arrive from the call on. With `since`, it resolves when
   * the client was sent what it has missed; with `presence`, when other processes know it. For a topic
   * that a broker keeps, it waits for the broker, for at most 5 seconds. The promise rejects with
   * {@linkcode WebSocketClosedError} if the connection is closed, and is safe to ignore.
   * @throws {TypeError} If the topic or the options are wrong, if `since` is used for a topic that is
   * subscribed already, or before {@linkcode open}.
   */
  subscribe(topic: string, options?: SubscribeOptions): Promise<Subscribed> {
    return this.#live().subscribe(topic, options);
  }

  /**
   * Unsubscribes from a topic. Does nothing if there is no subscription.
   *
   * @param topic The topic.
   * @throws {TypeError} If the topic is not a string of 1 to 256 characters.
   */
  unsubscribe(topic: string): void {
    this.#live().unsubscribe(topic);
  }

  /**
   * Sends a message to all other subscribers of a topic: in this process and, with the setting
   * `broker`, in others. The handler itself need not subscribe. Also works in {@linkcode onClose}.
   *
   * @param topic A string of 1 to 256 characters.
   * @param message Like the message of {@linkcode writeMessage}. It is encoded once for each wire
   * format.
   * @returns How many subscribers in this process received it, and how many did not. A loop that
   * publishes must await {@linkcode Published.ready}.
   * @throws {TypeError} If the topic or the message is wrong.
   */
  publish(topic: string, message: Message): Published {
    return this.#live().publish(topic, message);
  }
}
