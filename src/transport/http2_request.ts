/**
 * Opens streams on a client's session of `node:http2`.
 *
 * @module
 */
import { toError } from "../guard.ts";
import { Http2Transport } from "./http2_stream.ts";
import type { Http2ClientSession } from "./http2_types.ts";
import type { Transport } from "./transport.ts";

/** The key of a promise for SETTINGS. The session stores it, so that all requests share it. */
const SETTINGS: unique symbol = Symbol("waterspout settings");

interface Session extends Http2ClientSession {
  [SETTINGS]?: Promise<void> | undefined;
}

/**
 * Waits until the server has enabled extended CONNECT, which a client must not send before
 * (RFC 8441 §3).
 *
 * @returns Rejects if the server has not enabled it, or the session is closed.
 */
export function extendedConnectEnabled(session: Session): Promise<void> {
  if (isEnabled(session)) return Promise.resolve();
  return session[SETTINGS] ??= awaitSettings(session).finally(() => session[SETTINGS] = undefined);
}

function isEnabled(session: Http2ClientSession): boolean {
  return session.remoteSettings?.enableConnectProtocol === true;
}

function awaitSettings(session: Http2ClientSession): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let cause: Error | undefined;
  const onSettings = () => {
    if (isEnabled(session)) resolve();
  };
  const onError = (error: unknown) => cause = toError(error);
  const onClose = () => {
    reject(new Error(cause?.message ?? "the HTTP/2 session is closed", { cause }));
  };
  // The runtimes do not tell whether SETTINGS have arrived. But SETTINGS are the first frame of a
  // server (RFC 9113 §3.4), so they arrive before the answer to a PING.
  const ping = () => {
    // Node emits `connect` for a session that was destroyed before.
    if (session.destroyed || session.closed) return onClose();
    session.ping((error) => {
      if (isEnabled(session)) resolve();
      else if (error === null) reject(new Error("the server has not enabled it (RFC 8441 §3)"));
    });
  };
  const listeners = [
    ["remoteSettings", onSettings],
    ["error", onError],
    ["close", onClose],
    ["connect", ping],
  ] as const;
  for (const [event, listener] of listeners) session.on(event, listener);
  if (!session.connecting) ping();
  return promise.finally(() => {
    for (const [event, listener] of listeners) session.off(event, listener);
  });
}

/** The outcome of a request. Exactly one method is called, once. */
export interface StreamRequestEvents {
  /** The response has arrived. The receiver sets `transport.events` at once. */
  response(transport: Transport, fields: Readonly<Record<string, string | string[]>>): void;
  /** There will be no response. */
  failed(error: Error): void;
}

/**
 * Sends a request whose stream stays open.
 *
 * @param session The session.
 * @param fields The fields, pseudo-header fields first.
 * @returns Resets the stream. No event follows.
 * @throws {Error} If the session is closed.
 */
export function requestStream(
  session: Http2ClientSession,
  fields: Record<string, string | string[]>,
  events: StreamRequestEvents,
): () => void {
  const stream = session.request(fields);
  const transport = new Http2Transport(stream);
  let isOver = false;
  const finish = (report: () => void) => {
    if (isOver) return;
    isOver = true;
    report();
  };
  // On Deno, data comes before the response that it follows.
  transport.pause();
  transport.events = {
    data: () => {},
    drain: () => {},
    end: () => {},
    closed: (error) => {
      finish(() => events.failed(error ?? new Error("the server closed the HTTP/2 stream")));
    },
  };
  stream.on("response", (response) => {
    finish(() => {
      events.response(transport, response as Record<string, string | string[]>);
      transport.resume();
    });
  });
  return () => {
    isOver = true;
    transport.destroy();
  };
}
