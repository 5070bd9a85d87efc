/**
 * A handshake has no body.
 *
 * @module
 */
import { ProtocolError, Refusal } from "../errors.ts";
import type { RequestHead } from "./request_head.ts";
import { isDraft, type WebSocketVersion } from "./versions.ts";

/**
 * Refuses a handshake that says it has a body: whoever is between would take frames for a body, or a
 * body for frames (RFC 9112 §11.2).
 *
 * @throws {Refusal} 400 in versions that answer.
 * @throws {ProtocolError} In draft75 and draft76.
 */
export function checkBodiless(head: RequestHead, version: WebSocketVersion): void {
  const length = head.get("content-length") ?? "0";
  // key3 is no body. Some clients of draft76 count it as one, and others say that there is none.
  const isSound = length === "0" || (length === "8" && version === "draft76");
  if (isSound && head.get("transfer-encoding") === undefined) return;
  const because = "a WebSocket handshake has no body (RFC 9110 §9.3.1)";
  throw isDraft(version)
    ? new ProtocolError(1002, because)
    : new Refusal(400, because, { reason: "handshake" });
}
