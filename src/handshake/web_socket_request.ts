/**
 * Tornado's `WebSocketRequest`: the handshake of draft76, without a server.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { type ChallengeParts, challengeResponse } from "./challenge.ts";
import { checkDraft76 } from "./draft76.ts";

/**
 * A handshake of draft76 (Tornado's `WebSocketRequest`). Handlers do not need it. It is for code that
 * reads and writes the bytes of a connection itself.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { WebSocketRequest } from "@waterspout/websocket";
 *
 * const request = new Request("http://example.com/demo", {
 *   headers: {
 *     Host: "example.com",
 *     Upgrade: "WebSocket",
 *     Connection: "Upgrade",
 *     Origin: "http://example.com",
 *     "Sec-WebSocket-Key1": "4 @1  46546xW%0l 1 5",
 *     "Sec-WebSocket-Key2": "12998 5 Y3 1  .P00",
 *   },
 * });
 * const challenge = new TextEncoder().encode("^n:ds[4U");
 * const response = new WebSocketRequest(request).challengeResponse(challenge);
 * assert(new TextDecoder().decode(response) === "8jKS'y:G*Co,Wxa-");
 * ```
 */
export class WebSocketRequest {
  /** The request. */
  readonly request: Request;
  readonly #parts: ChallengeParts;

  /**
   * Checks the fields and the keys. `Origin` is required, as in Tornado. (`Application` accepts clients
   * without it.)
   *
   * @param request The handshake, with all fields.
   * @throws {ProtocolError} If a field is missing or invalid, with the rule and its section (Tornado:
   * `ValueError`).
   */
  constructor(request: Request) {
    this.request = request;
    if (!request.headers.get("origin")) {
      throw new ProtocolError(1002, "Origin must be sent (draft76 §5.1)");
    }
    this.#parts = checkDraft76({
      method: request.method,
      httpVersion: "1.1",
      get: (name) => request.headers.get(name),
    });
  }

  /**
   * Computes the 16 bytes that prove that the server has read the request (Tornado's
   * `challenge_response`).
   *
   * @param challenge key3: the 8 bytes after the request head.
   * @throws {TypeError} If `challenge` does not have 8 bytes.
   */
  challengeResponse(challenge: Uint8Array): Uint8Array {
    return challengeResponse(this.#parts, challenge);
  }
}
