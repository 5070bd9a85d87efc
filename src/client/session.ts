/**
 * One connection of a client: opening → open → closing → closed.
 *
 * @module
 */
import { guard, toError } from "../guard.ts";
import { fitReason } from "../protocol/close_reason.ts";
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import { cork, uncork } from "../connection/cork.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { Keepalive } from "../connection/keepalive.ts";
import { checkCloseCode } from "../protocol/close_code.ts";
import type { Settings } from "../server/settings.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";
import type { Link, Timed, TimingWheel } from "../timing/timing_wheel.ts";
import { type ClientHandshake, clientProtocol } from "./handshake.ts";
import type { HandshakeError } from "./handshake_error.ts";
import { type Opened, Opening, type OpeningEvents } from "./client_opening.ts";
import { Receiving } from "./receiving.ts";

/** What a session is made of. */
export interface SessionOptions {
  /** The URL, for messages. */
  readonly href: string;
  /** The version to speak. */
  readonly version: WebSocketVersion;
  /** What is sent, and what must come. */
  readonly handshake: ClientHandshake;
  /** The limits. */
  readonly settings: Settings;
  /** The timer. */
  readonly wheel: TimingWheel;
  /** Called with the payload of each ping. */
  readonly onPing: ((payload: Uint8Array) => unknown) | undefined;
  /** Called with the payload of each pong. */
  readonly onPong: ((payload: Uint8Array) => unknown) | undefined;
}

/** One connection, from its transport to the end of it. */
export class Session extends Receiving implements TransportEvents, OpeningEvents, Timed {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;

  /** The fields of the answer. */
  headers: Headers = new Headers();
  /** The subprotocol that the server chose. */
  subprotocol: string | undefined = undefined;
  /** The close code that the server sent. */
  closeCode: number | undefined = undefined;
  /** The reason that the server sent. */
  closeReason = "";

  readonly #options: SessionOptions;
  readonly #opened: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #gone: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #opening: Opening | null;
  #keepalive: Keepalive | null = null;
  /** Whether the socket is gone, and what ended it. */
  #lost: { readonly error: Error | undefined } | null = null;
  /** What the server had taken of the output when its time was set. */
  #takenThen = 0;

  /** Sends the request. @param transport The connection. @param options What it is made of. */
  constructor(transport: Transport, options: SessionOptions) {
    super(transport);
    this.#options = options;
    const { href, handshake, settings } = options;
    this.#opening = new Opening(href, handshake, { limits: settings, events: this });
    transport.events = this;
    transport.write(handshake.request, true);
  }

  protected override get limits(): Settings {
    return this.#options.settings;
  }

  /** The version that is spoken. */
  get version(): WebSocketVersion {
    return this.#options.version;
  }

  /** Resolves when it is open; rejects if it will not be. */
  get ready(): Promise<void> {
    return this.#opened.promise;
  }

  /** Resolves when the socket is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  get #hasBinary(): boolean {
    return this.version !== "draft75" && this.version !== "draft76";
  }

  // --- The opening ------------------------------------------------------------------------------

  /** The time for the opening is up. */
  late(): void {
    this.#opening?.late();
  }

  /** See {@linkcode OpeningEvents.opened}. */
  opened({ head, agreement, rest }: Opened): void {
    const { version, settings } = this.#options;
    this.#opening = null;
    this.headers = head.toHeaders();
    this.subprotocol = agreement.subprotocol;
    this.wire = clientProtocol(version, settings, agreement);
    this.phase = "open";
    this.#startKeepalive();
    this.#opened.resolve();
    if (rest.length > 0) this.receive(rest, this.transport.transfersChunks);
  }

  /** See {@linkcode OpeningEvents.refused}. */
  refused(error: HandshakeError): void {
    this.giveUp(error);
  }

  /** Ends an opening. */
  giveUp(error: unknown): void {
    if (this.phase !== "opening") return;
    this.phase = "closed";
    this.#opening = null;
    this.#opened.reject(error);
    this.transport.destroy();
  }

  #startKeepalive(): void {
    const { settings, wheel } = this.#options;
    const { pingInterval } = settings;
    if (pingInterval === 0) return;
    if (!this.#hasBinary) return this.transport.setKeepAlive(true, pingInterval);
    const now = wheel.now();
    this.#keepalive = new Keepalive(settings, true, now);
    wheel.set(this, this.#keepalive.next - now);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    if (this.phase === "closed") return;
    cork();
    try {
      if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
      if (this.#opening !== null) this.#opening.data(chunk);
      else this.take(chunk);
    } finally {
      uncork();
    }
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.ended = true;
    this.#opening?.end();
    // A server ends TCP first (RFC 6455 §7.1.1).
    if (this.phase === "closed") this.transport.end();
    else this.caughtUp();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(error?: Error): void {
    this.ended = true;
    this.#lost = { error };
    this.#options.wheel.remove(this);
    this.#opening?.end(error);
    this.stopWriting();
    if (this.phase === "open") this.phase = "lost";
    this.caughtUp();
    this.#gone.resolve();
  }

  protected override congestionChanged(): void {
    if (this.congested) return;
    if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
    this.answerPing();
  }

  protected override pinged(payload: Uint8Array): void {
    this.#call(this.#options.onPing, payload);
  }

  protected override ponged(payload: Uint8Array): void {
    this.#call(this.#options.onPong, payload);
  }

  #call(callback: ((payload: Uint8Array) => unknown) | undefined, payload: Uint8Array): void {
    if (callback === undefined) return;
    guard((): unknown => callback(payload), (thrown) => this.#fail(toError(thrown)));
  }

  // --- The end ----------------------------------------------------------------------------------

  /** See `WebSocketClientConnection.ping`. */
  sendPing(payload: string | Uint8Array): void {
    if (this.phase !== "open" || this.wire === null) return;
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    if (this.congested && !this.makeRoom(bytes)) return;
    this.wire.writePing(this.output(), bytes);
  }

  /** See `WebSocketClientConnection.close`. */
  startClose(code?: number, reason = ""): void {
    checkCloseCode(code, reason);
    if (this.phase === "lost") return this.#leave(undefined);
    if (this.phase !== "open" || this.wire === null) return;
    this.wire.writeClose(this.output(), code, reason);
    // draft75 has no closing handshake: there is nothing to wait for.
    if (this.version === "draft75") return this.#leave(undefined);
    this.inbox?.dropEvents();
    this.phase = "closing";
    this.flush();
    this.#giveTime();
    // The server's closing frame may be among the bytes that are held.
    if (this.paused) queueMicrotask(() => this.goOn());
  }

  protected override peerClosed(code: number | undefined, reason: string): void {
    this.closeCode = code;
    this.closeReason = reason;
    // RFC 6455 §5.5.1: an endpoint typically echoes the status code that it received.
    if (this.phase === "open") this.wire?.writeClose(this.output(), code, "");
    // "the server MUST close the TCP connection first" in all but unusual cases (§7.1.1); draft76
    // leaves it to either.
    this.#leave(undefined, { awaitsFin: this.#hasBinary && !this.ended });
  }

  protected override broken(error: Error): void {
    this.#fail(error);
  }

  protected override overflow(error: ProtocolError): void {
    this.#fail(error);
  }

  /** The server broke a rule, or we did: it is told, and so are readers. */
  #fail(error: Error): void {
    if (!this.isLive) return;
    if (this.phase === "open" && this.#hasBinary) {
      const isTheirs = error instanceof ProtocolError;
      const reason = isTheirs ? fitReason(error.message) : "internal error";
      this.wire?.writeClose(this.output(), isTheirs ? error.code : 1011, reason);
    }
    this.#leave(error);
  }

  protected override caughtUp(): void {
    if (!this.ended || !this.isLive || (this.inbox !== null && this.inbox.held !== null)) return;
    const isClean = this.phase === "closing" || this.version === "draft75";
    this.#leave(isClean && !this.#lost?.error ? undefined : this.#lossError());
  }

  #lossError(): WebSocketClosedError {
    const error = this.#lost?.error;
    return new WebSocketClosedError(
      `Cannot read a message: the connection ended${
        error === undefined ? "" : ` (${error.message})`
      } where a closing frame should have come (RFC 6455 §7.1.5)`,
      { cause: error },
    );
  }

  /** See `WebSocketClientConnection.abort`. */
  abort(): void {
    this.#leave(undefined);
    this.transport.destroy();
  }

  /** The session is over: what is written goes out, and FIN, at once or behind the server's. */
  #leave(error: Error | undefined, { awaitsFin = false } = {}): void {
    if (this.phase === "closed") return;
    this.flush();
    this.phase = "closed";
    this.wire?.free?.();
    this.wire = this.#keepalive = null;
    this.stopWriting();
    if (!awaitsFin) this.transport.end();
    this.readAndDrop();
    if (this.#lost === null) this.#giveTime();
    this.endReading(error);
  }

  // --- Time -------------------------------------------------------------------------------------

  #giveTime(): void {
    this.#takenThen = this.taken;
    this.#options.wheel.set(this, this.#options.settings.closeTimeout);
  }

  /** See {@linkcode Timed.expire}. */
  expire(now: number): void {
    if (this.phase === "open" && this.#keepalive !== null && !this.ended) {
      this.#tick(this.#keepalive, now);
    } else if (this.transport.bufferedAmount > 0 && this.taken > this.#takenThen) this.#giveTime();
    else this.abort();
  }

  #tick(keepalive: Keepalive, now: number): void {
    const { settings, wheel } = this.#options;
    const flow = this.congested ? "stalled" : this.paused ? "busy" : "reading";
    const action = keepalive.tick(now, flow, this.taken);
    if (action === "dead") {
      this.#leave(
        new WebSocketClosedError(
          `Cannot read a message: no byte came within pingTimeout, ${settings.pingTimeout} ms, ` +
            "of a ping",
        ),
      );
      return this.transport.destroy();
    }
    if (action === "ping") this.sendPing("");
    if (keepalive.next !== Infinity) wheel.set(this, keepalive.next - now);
  }
}
