/**
 * Tornado's `websocket_connect`.
 *
 * @module
 */
import type { ClientLimits } from "./client_limits.ts";
import {
  type ClientHandshake,
  type HandshakeOptions,
  makeHandshake,
} from "../handshake/client_handshake.ts";
import { streamHandshake } from "../handshake/extended_connect.ts";
import { connect } from "../transport/connect.ts";
import type { Http2ClientSession } from "../transport/http2.ts";
import type { Transport } from "../transport/transport.ts";
import { timersOf } from "../timing/clock_timers.ts";
import { WebSocketClientConnection } from "./client_connection.ts";
import type { OpenedHandshake } from "./client_opening.ts";
import { HandshakeError } from "./handshake_error.ts";
import {
  type ConnectOptions,
  type ConnectRequest,
  resolveOptions,
  toHandshakeOptions,
} from "./options.ts";
import { Session } from "./session.ts";
import { StreamOpening } from "./stream_opening.ts";
import { show } from "../validation.ts";

/**
 * Connects to a WebSocket server (Tornado's `websocket_connect`).
 *
 * @param request The URL (`ws:` or `wss:`), or a {@linkcode ConnectRequest} with header fields.
 * @param options The version, subprotocols, header fields, TLS, callbacks and limits.
 * @returns The connection, once it is open.
 * @throws {HandshakeError} If the server cannot be reached, refuses the handshake, or sends a response
 * that breaks a rule of the version.
 * @throws {TypeError} If the URL or an option is wrong, or the version does not support an option.
 * @throws {RangeError} If a number is out of range.
 *
 * @example A server of 2011
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Greeter extends WebSocketHandler {
 *   override open(): void {
 *     this.writeMessage("Hello from 2011");
 *     this.close();
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Greeter]], { versions: ["draft76"] });
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 *
 * const url = `ws://127.0.0.1:${server.addr.port}/`;
 * const connection = await websocketConnect(url, { version: "draft76" });
 * for await (const message of connection) assertEquals(message, "Hello from 2011");
 * ```
 *
 * @example Several WebSockets on one HTTP/2 session (RFC 8441)
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { connect, createServer } from "node:http2";
 * import type { AddressInfo } from "node:net";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { websocketConnect } from "@waterspout/websocket/client";
 *
 * class Greeter extends WebSocketHandler {
 *   override open(name: string): void {
 *     this.writeMessage(`Hello, ${name}`);
 *   }
 *   onMessage(): void {}
 * }
 *
 * const server = createServer();
 * await using attachment = new Application([["/greet/:name", Greeter]]).attach(server);
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as AddressInfo;
 *
 * const http2 = connect(`http://127.0.0.1:${port}`);
 * for (const name of ["Ada", "Grace"]) {
 *   await using socket = await websocketConnect(`ws://127.0.0.1:${port}/greet/${name}`, { http2 });
 *   assertEquals(await socket.readMessage(), `Hello, ${name}`);
 * }
 * http2.close();
 * server.close();
 * ```
 */
export async function websocketConnect(
  request: string | URL | ConnectRequest,
  options: ConnectOptions = {},
): Promise<WebSocketClientConnection> {
  return new WebSocketClientConnection(await openSession(request, options));
}

/** Opens a connection. For {@linkcode websocketConnect} and the test kit. */
export async function openSession(
  request: string | URL | ConnectRequest,
  options: ConnectOptions,
): Promise<Session> {
  const limits = resolveOptions(options);
  const wanted = toRequest(request);
  const handshake = toHandshakeOptions(wanted, options);
  const attempt = new Attempt(handshake, limits, options);
  const signals = [options.signal, wanted.signal];
  return await attempt.run(signals.filter((signal) => signal !== undefined && signal !== null));
}

function isRequest(request: string | URL | ConnectRequest): request is ConnectRequest {
  return typeof request !== "string" && !(request instanceof URL);
}

function toRequest(request: string | URL | ConnectRequest): ConnectRequest {
  if (!isRequest(request)) return { url: String(request) };
  if (typeof request === "object" && typeof request?.url === "string") return request;
  throw new TypeError(`Cannot connect: expected a URL or a request, got ${show(request)}`);
}

/** One attempt to connect. */
class Attempt {
  readonly #handshake: HandshakeOptions;
  readonly #limits: ClientLimits;
  readonly #options: ConnectOptions;
  /** Cancels the transport's `connect`. */
  readonly #connecting = new AbortController();
  #session: Session | null = null;
  #stream: StreamOpening | null = null;

  constructor(handshake: HandshakeOptions, limits: ClientLimits, options: ConnectOptions) {
    this.#handshake = handshake;
    this.#limits = limits;
    this.#options = options;
  }

  async run(signals: readonly AbortSignal[]): Promise<Session> {
    const { clock, handshakeTimeout } = this.#limits;
    const aborted = (event: Event): void => this.#giveUp((event.target as AbortSignal).reason);
    for (const signal of signals) signal.throwIfAborted();
    for (const signal of signals) signal.addEventListener("abort", aborted, { once: true });
    const timeout = handshakeTimeout > 0
      ? clock.setTimeout(() => this.#timedOut(), handshakeTimeout)
      : undefined;
    try {
      return await this.#open();
    } finally {
      if (timeout !== undefined) clock.clearTimeout(timeout);
      for (const signal of signals) signal.removeEventListener("abort", aborted);
    }
  }

  async #open(): Promise<Session> {
    const { http2, transport } = this.#options;
    if (http2 !== undefined) return await this.#openStream(http2);
    const handshake = makeHandshake(this.#handshake);
    const session = this.#makeSession(transport ?? await this.#connect(), handshake);
    this.#session = session;
    await session.ready;
    return session;
  }

  #openStream(http2: Http2ClientSession): Promise<Session> {
    return new Promise((resolve, reject) => {
      this.#stream = new StreamOpening(http2, {
        url: this.#handshake.url,
        handshake: streamHandshake(this.#handshake),
        limits: this.#limits,
        opened: (transport, opened) => resolve(this.#makeSession(transport, opened)),
        failed: reject,
      });
    });
  }

  #makeSession(transport: Transport, handshake: ClientHandshake | OpenedHandshake): Session {
    const { version, url } = this.#handshake;
    const { compression, onPing, onPong } = this.#options;
    return new Session(transport, {
      href: url.href,
      version,
      handshake,
      compression,
      limits: this.#limits,
      ...timersOf(this.#limits.clock),
      onPing,
      onPong,
    });
  }

  async #connect(): Promise<Transport> {
    const { hostname, port, secure, href } = this.#handshake.url;
    const { path } = this.#options;
    // The certificate of a server on a unix socket need not have the name of the URL's host.
    const tls = { ...(path === undefined ? {} : { serverName: hostname }), ...this.#options.tls };
    const { signal } = this.#connecting;
    try {
      return await connect({ hostname, port, path, tls: secure ? tls : undefined, signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const because = error instanceof Error ? error.message : String(error);
      throw new HandshakeError(`Cannot connect to ${href}: ${because}`, { cause: error });
    }
  }

  #giveUp(reason: unknown): void {
    if (this.#stream !== null) this.#stream.giveUp(reason);
    else if (this.#session === null) this.#connecting.abort(reason);
    else this.#session.giveUp(reason);
  }

  #timedOut(): void {
    if (this.#stream !== null) return this.#stream.timedOut();
    if (this.#session !== null) return this.#session.timedOut();
    const { handshakeTimeout } = this.#limits;
    this.#giveUp(
      new HandshakeError(
        `Cannot connect to ${this.#handshake.url.href}: ` +
          `no connection within handshakeTimeout (${handshakeTimeout} ms)`,
      ),
    );
  }
}
