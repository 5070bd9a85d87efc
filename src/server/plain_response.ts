/**
 * A connection that has not become a WebSocket, as plain HTTP sees it.
 *
 * @module
 */
import type { ResponseWriter } from "../http/response_writer.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { Timed } from "../timing/timing_wheel.ts";
import type { ServerConnection } from "./server_connection.ts";

/** Who ends the connection, and whose time it is. */
export interface Ending extends Timed {
  /** Ends the connection after what was written. */
  finish(): void;
  /** Ends the connection at once. */
  abort(): void;
}

/** Where the response to a request goes. */
export function plainResponse(
  connection: ServerConnection,
  head: RequestHead,
  opening: Ending,
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
    isProgressing: () => writer.isProgressing,
    toRequest: () => connection.toRequest(),
    report: (error) => connection.report(error),
    finish: () => opening.finish(),
    abort: () => opening.abort(),
    ended: (status, complete) => context.accessLog?.request(connection, status, complete),
  };
}
