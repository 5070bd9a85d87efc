/**
 * Checks a request before its handler is called.
 *
 * @module
 */
import { Refusal } from "../errors.ts";
import { requireSync } from "../guard.ts";
import { checkDraft75 } from "../handshake/draft75.ts";
import type { ChallengeParts } from "../handshake/challenge.ts";
import { checkDraft76 } from "../handshake/draft76.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { checkNoBody } from "../handshake/request_rules.ts";
import { checkRfc6455, originOf } from "../handshake/rfc6455.ts";
import { isDraft } from "../handshake/versions.ts";
import type { AnyHandler } from "./handler.ts";
import { schemeOf } from "./negotiation.ts";
import type { ServerConnection } from "./server_connection.ts";
import { checkHost, parseForwarded } from "./trusted_proxy.ts";

/** Checks that the server is not shutting down. @throws {Refusal} 503. */
export function checkRunning({ owner }: ServerConnection): void {
  if (owner?.stopping) {
    throw new Refusal(503, "the server is shutting down", { reason: "stopping" });
  }
}

/**
 * Checks that the server runs, and the `Host` of a request. If it comes from a trusted proxy, stores
 * the client's address and scheme, and checks `maxConnectionsPerAddress` again.
 *
 * @throws {Refusal} 421 or 503.
 */
export function admit(connection: ServerConnection, head: RequestHead): void {
  checkRunning(connection);
  const { context, transport } = connection;
  checkHost(head, context.settings);
  connection.forwarded = parseForwarded(head, transport, context.trusted);
  if (connection.forwarded !== null && !context.readmit(connection)) {
    throw new Refusal(503, "too many connections (maxConnectionsPerAddress)", { reason: "limit" });
  }
}

/**
 * Checks a handshake of HTTP/1 by the rules of its version.
 *
 * @returns The first two keys of draft76; `null` in other versions.
 * @throws {Refusal | ProtocolError} If a rule is broken, or the version is allowed over TLS only.
 */
export function checkHandshake(connection: ServerConnection): ChallengeParts | null {
  const { head, version, secure, context } = connection;
  let challenge: ChallengeParts | null = null;
  if (head === null) return challenge;
  if (!isDraft(version)) checkRfc6455(head);
  else if (context.settings.secureDraftsOnly && !secure) {
    throw new Refusal(403, `${version} is accepted over TLS only (secureDraftsOnly)`, {
      reason: "version",
    });
  } else if (version === "draft76") challenge = checkDraft76(head);
  else checkDraft75(head);
  checkNoBody(head, version);
  return challenge;
}

/** Calls the handler's `checkOrigin`, and logs a refused origin. @throws {Refusal} 403. */
export function checkOrigin(
  { head, version, context }: ServerConnection,
  handler: AnyHandler,
): void {
  const origin = head === null ? undefined : originOf(head, version);
  if (origin === undefined || requireSync("checkOrigin", handler.checkOrigin(origin))) return;
  const url = `${schemeOf(handler)}://${head?.host ?? ""}${head?.path ?? ""}`;
  // A web page sees only close code 1006, so the log has the reason.
  const because = `the origin ${JSON.stringify(origin)} may not connect to ${url}: ` +
    "list it in the setting allowedOrigins, or allow it in checkOrigin()";
  context.limitedLog.write("origin", `Refused a handshake: ${because}`);
  throw new Refusal(403, because, { reason: "origin" });
}

/** Logs a handshake that ends without a response. The client cannot see the reason. */
export function logSilentEnd({ context, version, head }: ServerConnection, because: string): void {
  const path = JSON.stringify(head?.path ?? "");
  const what = `Ended a ${version} handshake for ${path} without a response`;
  context.limitedLog.write("handshake", `${what}: ${because}`);
}
