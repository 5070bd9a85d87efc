/**
 * The error of a handshake that failed.
 *
 * @module
 */

/**
 * The response of a server that refuses the handshake.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * await using server = new Application([]).listen({
 *   port: 0,
 *   hostname: "127.0.0.1",
 * });
 * const url = `ws://127.0.0.1:${server.addr.port}/nowhere`;
 * const error = await websocketConnect(url).catch((error) => error);
 * assertEquals(error.status, 404);
 * ```
 */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** The header fields. */
  readonly headers: Headers;
  /** The beginning of the body, as text. */
  readonly body: string;
}

/**
 * A connection could not be opened: the server could not be reached, refused the handshake, or sent a
 * response that breaks a rule of the version. The message says what was expected and what was
 * received. `cause` is the error of the runtime or the `ProtocolError`, if there is one.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { HandshakeError, websocketConnect } from "@waterspout/websocket/client";
 *
 * const error = await websocketConnect("ws://127.0.0.1:1/").catch((error) => error);
 * assert(error instanceof HandshakeError);
 * assert(error.message.startsWith("Cannot connect to ws://127.0.0.1:1/: "));
 * ```
 */
export class HandshakeError extends Error {
  /** `"HandshakeError"`. */
  override readonly name = "HandshakeError";
  /** The HTTP status of a refusal; `undefined` if there was none. */
  readonly status: number | undefined;
  /** The header fields of a refusal, such as `Location`. Empty if the server sent no refusal. */
  readonly headers: Headers;
  /** The first `maxBodySize` bytes of the body of a refusal, as text. */
  readonly body: string;

  /**
   * Made by `websocketConnect`.
   *
   * @param message What was attempted, and why it failed.
   * @param details The refusal, and the cause.
   */
  constructor(message: string, details: Partial<Refusal> & { readonly cause?: unknown } = {}) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.status = details.status;
    this.headers = details.headers ?? new Headers();
    this.body = details.body ?? "";
  }
}
