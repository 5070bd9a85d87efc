/**
 * The connection of a client: Tornado's `WebSocketClientConnection`.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Message } from "../connection/message.ts";
import type { MessageSource } from "../connection/message_source.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { Session } from "./session.ts";

/**
 * A connection to a server, in any version of the protocol.
 *
 * Read messages with {@linkcode readMessage} or with `for await`. Unread messages wait in a queue. When
 * `maxQueuedSize` bytes wait, the client stops reading from the server. `await using` closes the
 * connection at the end of the block.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Echo extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const app = new Application([["/echo", Echo]]);
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 * const connection = await websocketConnect(`ws://127.0.0.1:${server.addr.port}/echo`);
 *
 * await connection.writeMessage("Hello");
 * assertEquals(await connection.readMessage(), "Hello");
 *
 * connection.close(1000, "done");
 * assertEquals(await connection.readMessage(), undefined);
 * assertEquals(connection.closeCode, 1000);
 * ```
 */
export class WebSocketClientConnection
  implements AsyncIterable<string | Uint8Array>, AsyncDisposable {
  readonly #session: Session;

  /** Made by `websocketConnect`. @ignore */
  constructor(session: Session) {
    this.#session = session;
  }

  /** The protocol version. */
  get version(): WebSocketVersion {
    return this.#session.version;
  }

  /**
   * The subprotocol that the server chose (Tornado's `selected_subprotocol`); `undefined` if it chose
   * none.
   */
  get selectedSubprotocol(): string | undefined {
    return this.#session.subprotocol;
  }

  /** The header fields of the server's response (Tornado's `headers`). */
  get headers(): Headers {
    return this.#session.headers;
  }

  /** The close code that the server sent; `undefined` if it sent none. */
  get closeCode(): number | undefined {
    return this.#session.closeCode;
  }

  /** The close reason that the server sent; `""` if it sent none. */
  get closeReason(): string {
    return this.#session.closeReason;
  }

  /** Why the connection ended; `undefined` while it is open. */
  get ended(): ConnectionEnd | undefined {
    return this.#session.ended;
  }

  /**
   * A signal that aborts when the connection ends. Its `reason` is {@linkcode ended}.
   */
  get signal(): AbortSignal {
    return this.#session.signal;
  }

  /**
   * Resolves with {@linkcode ended} when the socket is closed, for any reason. Never rejects. If the
   * server closes while the queue of unread messages is full, the socket stays open until you read or
   * drop those messages.
   */
  get closed(): Promise<ConnectionEnd> {
    return this.#session.finished;
  }

  /** How many written bytes the operating system has not taken yet. */
  get bufferedAmount(): number {
    return this.#session.bufferedAmount;
  }

  /**
   * Reads the next message (Tornado's `read_message`).
   *
   * @returns A string for a text message, a `Uint8Array` for a binary one; `undefined` when the
   * connection is closed and all messages were read. The caller may keep and change the array.
   * @throws {ProtocolError} If the server broke a rule of the protocol.
   * @throws {WebSocketClosedError} If the connection was closed without a close frame, or the server
   * sent nothing within `pingTimeout`.
   */
  readMessage(): Promise<string | Uint8Array | undefined> {
    return this.#session.messages.read();
  }

  /** Reads messages until the connection is closed. Leaving the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void, undefined> {
    for (let message; (message = await this.readMessage()) !== undefined;) yield message;
  }

  /**
   * Sends a message: a string as text, a buffer or a view of one as binary, a plain object or an array
   * as JSON text. Do not change the bytes of a binary message until the promise resolves.
   *
   * @returns A promise that resolves once at most `highWaterMark` bytes wait for the server. It rejects
   * with {@linkcode WebSocketClosedError} if the connection closes before, and is safe to ignore.
   * @throws {TypeError} If the argument is not a message, or is binary and the version has only text.
   */
  writeMessage(message: Message): Promise<void>;
  /**
   * Sends one message in pieces. The source is an async iterable or a `ReadableStream`: of strings for a
   * text message, or of buffers or views of buffers for a binary message. The next piece is read from
   * the source when at most `highWaterMark` bytes wait for the server.
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
    return this.#session.writeMessage(message);
  }

  /**
   * Sends a ping. The option `onPong` is called with the pong.
   *
   * @param payload At most 125 bytes. A string is sent as UTF-8. Default: empty.
   * @throws {TypeError} If the version has no ping (draft75, draft76).
   * @throws {RangeError} If the payload is too long.
   */
  ping(payload: string | Uint8Array = new Uint8Array(0)): void {
    this.#session.ping(payload);
  }

  /**
   * Starts the closing handshake, and drops unread messages. The socket is closed after the handshake,
   * or after `closeTimeout`: then {@linkcode closed} resolves. A second call does nothing.
   *
   * @param code 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455 §7.4). draft75 and draft76 do
   * not send it. Default: a close frame without a code.
   * @param reason At most 123 bytes of UTF-8.
   * @throws {RangeError} If the code or the reason cannot be sent.
   */
  close(code?: number, reason?: string): void {
    this.#session.close(code, reason);
  }

  /** Closes the socket at once, without a closing handshake. */
  abort(): void {
    this.#session.abort();
  }

  /** Closes with 1000, and waits until the socket is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close(1000);
    await this.closed;
  }
}
