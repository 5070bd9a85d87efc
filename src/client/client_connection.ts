/**
 * What `websocketConnect` gives: Tornado's `WebSocketClientConnection`.
 *
 * @module
 */
import type { WebSocketVersion } from "../handshake/versions.ts";
import type { Message } from "../connection/message.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import type { Session } from "./session.ts";

/**
 * An open connection to a server, whatever version it speaks.
 *
 * Messages are read one by one, or with `for await`; what is not read waits, and when `maxQueuedSize`
 * waits, reading stops, so that a server is not faster than its reader. `await using` closes it.
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

  /** The version that is spoken. */
  get version(): WebSocketVersion {
    return this.#session.version;
  }

  /** The subprotocol that the server chose (Tornado's `selected_subprotocol`). */
  get selectedSubprotocol(): string | undefined {
    return this.#session.subprotocol;
  }

  /** The header fields of the server's answer (Tornado's `headers`). */
  get headers(): Headers {
    return this.#session.headers;
  }

  /** The close code that the server sent; `undefined` if none (yet). */
  get closeCode(): number | undefined {
    return this.#session.closeCode;
  }

  /** The reason that the server sent with its close code; `""` if none. */
  get closeReason(): string {
    return this.#session.closeReason;
  }

  /** Why the connection ended; `undefined` until it has. */
  get ended(): ConnectionEnd | undefined {
    return this.#session.ended;
  }

  /** Resolves when the socket is gone, however it went; never rejects. */
  get closed(): Promise<void> {
    return this.#session.gone;
  }

  /** Bytes that are written and not yet taken by the system. */
  get bufferedAmount(): number {
    return this.#session.bufferedAmount;
  }

  /**
   * The next message: a string if it was text, a `Uint8Array` of one's own if it was binary
   * (Tornado's `read_message`).
   *
   * @returns `undefined` once the connection has ended and all that came before was read.
   * @throws {ProtocolError} If the server broke a rule of its version.
   * @throws {WebSocketClosedError} If the connection ended without a closing handshake (in a version
   * that has one), or the server was silent for too long.
   */
  readMessage(): Promise<string | Uint8Array | undefined> {
    return this.#session.messages.read();
  }

  /** Reads messages to the end of the connection; to leave the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string | Uint8Array, void, undefined> {
    for (let message; (message = await this.readMessage()) !== undefined;) yield message;
  }

  /**
   * Sends a message: a string as text, a `Uint8Array` as binary, any other object or array as JSON
   * text.
   *
   * The promise resolves once less than `highWaterMark` bytes wait for the server, and rejects with
   * `WebSocketClosedError` if the connection ended; it is safe to ignore.
   *
   * @throws {TypeError} If it is none of these, or binary and the version has only text.
   */
  writeMessage(message: Message): Promise<void> {
    return this.#session.writeMessage(message);
  }

  /**
   * Sends a ping; the pong goes to the option `onPong`.
   *
   * @param payload Up to 125 bytes; text is sent as UTF-8.
   * @throws {TypeError} If the version has no ping (draft75, draft76).
   * @throws {RangeError} If the payload is longer.
   */
  ping(payload: string | Uint8Array = new Uint8Array(0)): void {
    this.#session.ping(payload);
  }

  /**
   * Starts the closing handshake; what was not read is dropped, and the socket is closed after the
   * server's, or after `closeTimeout`. Further calls do nothing. {@linkcode closed} tells the end.
   *
   * @param code 1000, 1001 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 §7.4); draft75 and
   * draft76 have none and send none.
   * @param reason Up to 123 bytes of UTF-8.
   * @throws {RangeError} If the code or the reason cannot be sent.
   */
  close(code?: number, reason?: string): void {
    this.#session.close(code, reason);
  }

  /** Ends the connection at once, with no closing handshake. */
  abort(): void {
    this.#session.abort();
  }

  /** Closes with 1000, and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close(1000);
    await this.closed;
  }
}
