/**
 * The error of a proxy that opens no tunnel.
 *
 * @module
 */

/**
 * The proxy did not open a tunnel. This error is the `cause` of a `HandshakeError`. Its message quotes
 * the answer of the proxy.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { createServer } from "node:net";
 * import type { AddressInfo } from "node:net";
 * import { ProxyError, websocketConnect } from "@waterspout/websocket/client";
 *
 * const proxy = createServer((socket) => {
 *   socket.on("error", () => {}).end("HTTP/1.1 407 Log in\r\n\r\n");
 * });
 * await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
 * const { port } = proxy.address() as AddressInfo;
 * const { cause } = await websocketConnect("ws://example.com/", {
 *   proxy: `http://127.0.0.1:${port}`,
 * }).catch((error) => error);
 * assert(cause instanceof ProxyError && cause.status === 407 && cause.refusesCredentials);
 * proxy.close();
 * ```
 */
export class ProxyError extends Error {
  /** `"ProxyError"`. */
  override readonly name = "ProxyError";
  /** The HTTP status of the proxy's answer. `undefined` for SOCKS5, and if the answer is malformed. */
  readonly status: number | undefined;
  /** Whether the proxy requires credentials, or refused those in the URL. */
  readonly refusesCredentials: boolean;

  /**
   * Made by `websocketConnect`.
   *
   * @param message The expected answer and the received answer.
   * @param details The answer.
   */
  constructor(
    message: string,
    details: {
      readonly status?: number;
      readonly refusesCredentials?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.status = details.status;
    this.refusesCredentials = details.refusesCredentials ?? false;
  }
}
