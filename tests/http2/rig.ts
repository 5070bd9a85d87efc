/**
 * An application on an HTTP/2 server, and clients on sessions with it.
 *
 * @module
 */
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { Application, type Settings } from "../../mod.ts";
import {
  type ConnectOptions,
  type WebSocketClientConnection,
  websocketConnect,
} from "../../src/client/mod.ts";
import type { AnyRoute } from "../../src/server/route_types.ts";

/** What came of a request that is not a WebSocket of ours. */
export interface Response {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The code of RST_STREAM. */
  readonly code: number;
}

/** An application, its server and its sessions. */
export class Http2Rig implements AsyncDisposable {
  readonly app: Application;
  readonly server: Http2Server;
  /** The server's ends of the sessions. */
  readonly sessions: ServerHttp2Session[] = [];
  /** The server's ends of the streams. */
  readonly streams: ServerHttp2Stream[] = [];
  /** What was logged. */
  readonly logged: string[] = [];
  readonly #clients: ClientHttp2Session[] = [];

  private constructor(routes: readonly unknown[], settings: Partial<Settings>) {
    this.app = new Application(routes as AnyRoute[], {
      log: (message, error) => {
        this.logged.push(error instanceof Error ? `${message} ${error.message}` : message);
      },
      ...settings,
    });
    this.server = createServer({ settings: { enableConnectProtocol: true } });
    this.server.on("session", (session) => this.sessions.push(session));
  }

  /**
   * Starts a server. Streams that the application does not take are answered with 404.
   *
   * @param serve Serves a stream. Default: `Application.handleStream`.
   */
  static async start(
    routes: readonly unknown[],
    settings: Partial<Settings> = {},
    serve?: (rig: Http2Rig, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  ): Promise<Http2Rig> {
    const rig = new Http2Rig(routes, settings);
    rig.server.on("stream", (stream, headers) => {
      rig.streams.push(stream);
      if (serve !== undefined) serve(rig, stream, headers);
      else if (!rig.app.handleStream(stream, headers)) {
        stream.on("error", () => {});
        stream.respond({ ":status": 404 }, { endStream: true });
      }
    });
    await new Promise<void>((resolve) => rig.server.listen(0, "127.0.0.1", resolve));
    return rig;
  }

  /** The port of the server. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Starts a session, whose SETTINGS are there. */
  async session(): Promise<ClientHttp2Session> {
    const session = connect(`http://127.0.0.1:${this.port}`);
    session.on("error", () => {});
    this.#clients.push(session);
    await settingsOf(session);
    return session;
  }

  /** The URL of a path. */
  url(path = "/"): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  /** Opens a WebSocket on a session, or on a new one. */
  async open(
    path = "/",
    { http2, ...options }: ConnectOptions = {},
  ): Promise<WebSocketClientConnection> {
    return await websocketConnect(this.url(path), {
      http2: http2 ?? await this.session(),
      ...options,
    });
  }

  /** Sends a request and reads the whole response. */
  async request(
    fields: OutgoingHttpHeaders,
    session?: ClientHttp2Session,
  ): Promise<Response> {
    const stream = (session ?? await this.session()).request(fields);
    let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    let body = "";
    stream.setEncoding("utf8");
    stream.on("error", () => {});
    stream.on("response", (response) => headers = response);
    stream.on("data", (chunk) => body += chunk);
    stream.on("end", () => stream.close());
    await new Promise((resolve) => stream.on("close", resolve));
    return { status: headers[":status"], headers, body, code: stream.rstCode ?? 0 };
  }

  /** Ends the sessions and the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Resolves when the settings of the server have arrived. Rejects if the session closes before that. */
export function settingsOf(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once("remoteSettings", () => resolve());
    session.once("close", () => reject(new Error("The session closed before its settings")));
  });
}

/** The fields of a good handshake. */
export function handshake(path = "/", fields: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return {
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":authority": "127.0.0.1",
    ":path": path,
    "sec-websocket-version": "13",
    ...fields,
  };
}
