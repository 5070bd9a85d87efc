/**
 * Decides who gets the WebSocket requests of a server of `node:http2` (RFC 8441): our attachments, or
 * the other listeners.
 *
 * The compatibility layer of `node:http2` emits `request`. Without a `connect` listener, it answers an
 * extended CONNECT with 405. So our streams must not reach the listener of that layer.
 *
 * @module
 */
import { asksForWebSocket, type Http2Fields } from "../handshake/extended_connect.ts";
import type { Http2ServerStream } from "../transport/http2.ts";
import type { Claim, UpgradeServer } from "./upgrade_dispatch.ts";
import type { UpgradeRequest } from "./upgrade_request.ts";

/** A server of `node:http2`. */
interface StreamServer extends UpgradeServer {
  /** Changes the settings that new sessions announce to their clients. */
  updateSettings(settings: { readonly enableConnectProtocol: boolean }): void;
}

/** A request on a stream: the argument of `passThrough`. */
export interface StreamRequest extends UpgradeRequest {
  /** The fields, pseudo-header fields too. */
  readonly headers: Http2Fields;
  /** The stream. */
  readonly stream: Http2ServerStream;
}

/** The part of an attachment that its server uses. */
export interface StreamClaimant {
  /** Decides whether a request belongs to the attachment. */
  claimStream(request: StreamRequest): Claim;
  /** Serves a request, or refuses it. */
  serveStream(request: StreamRequest, claim: Claim): void;
  /** Refuses a request for another protocol than WebSocket. */
  refuseProtocol(request: StreamRequest): void;
}

/** The name of the listener that emits `request`, on all runtimes. */
const COMPATIBILITY_LISTENER = "bound onServerStream";

/** Turns extended CONNECT on for new sessions, if a server speaks HTTP/2. */
export function enableExtendedConnect(server: UpgradeServer): void {
  const { updateSettings } = server as Partial<StreamServer>;
  updateSettings?.call(server, { enableConnectProtocol: true });
}

/** Set in a session whose client knows that extended CONNECT is on. */
const INFORMED: unique symbol = Symbol("waterspout informed");

type Session = NonNullable<Http2ServerStream["session"]> & { [INFORMED]?: boolean };

/** Handles a new session, to which the server has announced extended CONNECT. */
export function sessionStarted(session: unknown): void {
  if (typeof session === "object" && session !== null) (session as Session)[INFORMED] = true;
}

/** Announces extended CONNECT to a session that opened before `attach` (RFC 8441 §3). */
function inform({ session }: { readonly session?: Session | undefined }): void {
  if (session === undefined || session[INFORMED]) return;
  session[INFORMED] = true;
  session.settings?.({ enableConnectProtocol: true });
}

/**
 * Takes a `stream` event that is for an attachment.
 *
 * @param server The server.
 * @param claimants Its attachments. The first one that claims a request gets it.
 * @param args The arguments of the event.
 * @returns Whether it was taken.
 */
export function takeStream(
  server: UpgradeServer,
  claimants: Iterable<StreamClaimant>,
  args: readonly unknown[],
): boolean {
  const [stream, headers, , rawHeaders = []] = args as [
    Http2ServerStream,
    Http2Fields,
    number,
    (readonly string[])?,
  ];
  inform(stream);
  if (headers[":method"] !== "CONNECT" || headers[":protocol"] === undefined) return false;
  const url = headers[":path"];
  const request: StreamRequest = {
    method: "CONNECT",
    url: typeof url === "string" ? url : undefined,
    httpVersion: "2.0",
    rawHeaders,
    headers,
    stream,
  };
  let first: { readonly claimant: StreamClaimant; readonly claim: Claim } | undefined;
  for (const claimant of claimants) {
    const claim = claimant.claimStream(request);
    if (claim === "ours" || claim === "failed") {
      claimant.serveStream(request, claim);
      return true;
    }
    first ??= { claimant, claim };
  }
  if (first === undefined || hasOthers(server)) return false;
  if (asksForWebSocket(headers)) first.claimant.serveStream(request, first.claim);
  else first.claimant.refuseProtocol(request);
  return true;
}

/** Returns whether another listener may answer an extended CONNECT. */
function hasOthers(server: UpgradeServer): boolean {
  if (server.listeners("connect").length > 0) return true;
  return server.listeners("stream").some((listener) =>
    (listener as { readonly name?: string }).name !== COMPATIBILITY_LISTENER
  );
}
