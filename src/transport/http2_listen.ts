/**
 * Sessions of HTTP/2 on the TLS connections of a listener.
 *
 * @module
 */
import { requireBuiltin } from "./builtin_module.ts";
import type { Http2ServerSession, Http2ServerStream } from "./http2_types.ts";

/** Serves the sessions of a listener. */
export interface Http2Acceptor {
  /**
   * Called for each session.
   *
   * @param destroy Closes the connection at once. A session that is closed waits for its client.
   */
  session(session: Http2ServerSession, destroy: () => void): void;
  /** Called for each request, with its fields. */
  stream(stream: Http2ServerStream, fields: Readonly<Record<string, string | string[]>>): void;
}

/** The part of `http2.Http2Server` that is used. */
interface SessionServer {
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: "connection", socket: object): boolean;
}

/** The TLS connection of a session. */
interface SessionSocket {
  destroy(): unknown;
}

/** The part of `node:http2` that is used. */
interface Http2Module {
  createServer(options: {
    settings: { enableConnectProtocol: boolean; maxConcurrentStreams: number };
  }): SessionServer;
}

/**
 * The most streams of a session at a time: what browsers use, and what RFC 9113 §6.5.2 recommends as
 * the least.
 */
const MAX_CONCURRENT_STREAMS = 100;

/** Returns what starts a session on a TLS connection. @throws {TypeError} If there is no HTTP/2. */
export function acceptSessions(acceptor: Http2Acceptor): (socket: SessionSocket) => void {
  const { createServer } = requireBuiltin<Http2Module>("node:http2", "listen");
  const server = createServer({
    settings: { enableConnectProtocol: true, maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
  });
  let destroy: () => void = () => {};
  server.on("session", (session: Http2ServerSession) => acceptor.session(session, destroy));
  server.on("stream", (stream: Http2ServerStream, fields: Record<string, string | string[]>) => {
    acceptor.stream(stream, fields);
  });
  // `close` of the session follows. A client that breaks a rule of HTTP/2 needs no line in the log.
  server.on("sessionError", () => {});
  return (socket) => {
    // `session` is emitted during this call.
    destroy = () => void socket.destroy();
    server.emit("connection", socket);
  };
}
