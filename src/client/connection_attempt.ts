/**
 * One attempt to connect, including its redirects.
 *
 * @module
 */
import {
  type ClientHandshake,
  type HandshakeOptions,
  makeHandshake,
} from "../handshake/client_handshake.ts";
import { streamHandshake } from "../handshake/extended_connect.ts";
import { messageOf } from "../guard.ts";
import { connect } from "../transport/connect.ts";
import type { Http2ClientSession } from "../transport/http2.ts";
import type { TlsOptions, Transport } from "../transport/transport.ts";
import { timersOf } from "../timing/clock_timers.ts";
import type { ClientLimits } from "./client_limits.ts";
import type { OpenedHandshake } from "./client_opening.ts";
import { HandshakeError } from "./handshake_error.ts";
import type { ConnectOptions } from "./options.ts";
import { type NamedTunnel, tunnelTo } from "./proxy_option.ts";
import { Redirects } from "./redirect.ts";
import { Session } from "./session.ts";
import { StreamOpening } from "./stream_opening.ts";

/** One attempt to connect. */
export class ConnectionAttempt {
  /** The handshake of the URL, or of the last redirect. */
  #handshake: HandshakeOptions;
  readonly #limits: ClientLimits;
  readonly #options: ConnectOptions;
  #tls: TlsOptions;
  /** Cancels the transport's `connect`. */
  readonly #connecting = new AbortController();
  #session: Session | null = null;
  #stream: StreamOpening | null = null;
  /** The tunnel of the last connection; `undefined` without a proxy. */
  #tunnel: NamedTunnel | undefined = undefined;

  /**
   * @param handshake The handshake to send.
   * @param limits The limits, with the defaults.
   * @param options The checked options of `websocketConnect`.
   */
  constructor(handshake: HandshakeOptions, limits: ClientLimits, options: ConnectOptions) {
    this.#handshake = handshake;
    this.#limits = limits;
    this.#options = options;
    const { path, tls } = options;
    // The certificate of a server on a unix socket need not have the name of the URL's host.
    this.#tls = { ...(path === undefined ? {} : { serverName: handshake.url.hostname }), ...tls };
  }

  /** Connects. @param signals Any of them cancels the attempt. @returns The open connection. */
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
    const { http2, transport, maxRedirects = 0 } = this.#options;
    if (http2 !== undefined) return await this.#openStream(http2);
    const redirects = new Redirects(this.#handshake.url.href, maxRedirects);
    while (true) {
      const handshake = makeHandshake(this.#handshake);
      const session = this.#makeSession(transport ?? await this.#connect(), handshake);
      this.#session = session;
      try {
        await session.ready;
        return session;
      } catch (error) {
        this.#redirect(redirects, error);
      }
    }
  }

  /** Prepares the handshake for a redirect. @throws {unknown} `error`, unless it is a redirect. */
  #redirect(redirects: Redirects, error: unknown): void {
    const next = error instanceof HandshakeError
      ? redirects.follow(this.#handshake, error)
      : undefined;
    if (next === undefined) throw error;
    this.#session = null;
    this.#handshake = next.handshake;
    if (!next.isCrossOrigin) return;
    const { ca, insecure } = this.#tls;
    this.#tls = {
      ...(ca === undefined ? {} : { ca }),
      ...(insecure === undefined ? {} : { insecure }),
    };
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
    const { turns, wheel } = timersOf(this.#limits.clock);
    return new Session(transport, {
      href: url.href,
      version,
      handshake,
      compression,
      limits: this.#limits,
      turns,
      wheel,
      onPing,
      onPong,
    });
  }

  async #connect(): Promise<Transport> {
    const { hostname, port, secure } = this.#handshake.url;
    const { path } = this.#options;
    const { signal } = this.#connecting;
    const tunnel = this.#tunnel = tunnelTo(this.#handshake.url, this.#options, this.#limits);
    const tls = secure ? this.#tls : undefined;
    try {
      return await connect({ hostname, port, path, tls, tunnel, signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new HandshakeError(this.#message(messageOf(error)), { cause: error });
    }
  }

  #message(because: string): string {
    const { href } = this.#handshake.url;
    const through = this.#tunnel === undefined ? "" : ` through proxy ${this.#tunnel.href}`;
    return `Cannot connect to ${href}${through}: ${because}`;
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
    const because = `no connection within handshakeTimeout (${handshakeTimeout} ms)`;
    this.#giveUp(new HandshakeError(this.#message(because)));
  }
}
