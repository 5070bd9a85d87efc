/**
 * Connects plain HTTP to a connection that has no WebSocket.
 *
 * @module
 */
import type { ResponseWriter } from "../http/response_writer.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { Timed } from "../timing/timing_wheel.ts";
import type { ServerConnection } from "./server_connection.ts";

/** The part of an `Opening` that is used. The timer calls its `expire`. */
export interface PlainOpening extends Timed {
  /** Closes the connection after the written bytes. */
  finish(): void;
  /** Closes the connection at once. */
  abort(): void;
}

/** Makes the writer of a response. */
export function plainResponse(
  connection: ServerConnection,
  head: RequestHead,
  opening: PlainOpening,
): ResponseWriter {
  const { context, writer } = connection;
  const { settings, wheel } = context;
  return {
    head,
    maxBodySize: settings.maxBodySize,
    write: (bytes) => writer.writeRaw(bytes),
    ready: () => writer.ready(),
    startTimer: () => {
      writer.watchProgress();
      if (settings.handshakeTimeout > 0) wheel.set(opening, settings.handshakeTimeout);
    },
    stopTimer: () => wheel.remove(opening),
    keepAlive: () => {
      if (settings.pingInterval > 0) connection.transport.setKeepAlive(true, settings.pingInterval);
    },
    isProgressing: () => writer.isProgressing,
    toRequest: () => connection.toRequest(),
    report: (error) => connection.report(error),
    finish: () => opening.finish(),
    abort: () => opening.abort(),
    ended: (status, complete) => context.accessLog?.request(connection, status, complete),
  };
}
