/**
 * One connection: request head → handshake → open → closing → closed.
 *
 * @module
 */
import type { Core, Owner } from "./core.ts";
import { ProtocolError, WebSocketClosedError } from "./errors.ts";
import { beginRead, endRead } from "./flush.ts";
import type { RequestHead } from "./handshake/request_head.ts";
import type { WebSocketVersion } from "./handshake/versions.ts";
import { Heart } from "./heart.ts";
import { Incoming, isThenable } from "./incoming.ts";
import { Opening } from "./opening.ts";
import { checkCloseCode } from "./protocol/close_code.ts";
import type { Protocol } from "./protocol/protocol.ts";
import type { Match } from "./routes.ts";
import type { Settings } from "./settings.ts";
import type { Few } from "./topics/few.ts";
import type { Address, Transport, TransportEvents } from "./transport/transport.ts";
import type { Link, Timed } from "./wheel.ts";

/** What a handler may know of its connection. */
export interface ConnectionInfo {
  /** The client's address; behind a trusted proxy, the one that the proxy names. */
  readonly remoteAddress: Address;
  /** This end's address. */
  readonly localAddress: Address;
  /** Whether the client speaks TLS, to us or to a trusted proxy. */
  readonly secure: boolean;
  /** The version that is spoken. */
  readonly version: WebSocketVersion;
}

/** What a trusted proxy says of the client. */
export interface Forwarded {
  /** The client's address. */
  readonly hostname: string | undefined;
  /** Whether the client speaks TLS to the proxy. */
  readonly secure: boolean | undefined;
}

/** One connection, from accept to the end of its socket. */
export class Connection extends Incoming implements TransportEvents, Timed, ConnectionInfo {
  /** What the connections of its application share. */
  readonly core: Core;
  /** The server that accepted it, if one did. */
  readonly owner: Owner | undefined;

  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;

  /** The request; `null` until it is complete. */
  head: RequestHead | null = null;
  /** The route that the request's path matched. */
  match: Match | null = null;
  /** See {@linkcode ConnectionInfo.version}; meaningless until the handshake tells it. */
  version: WebSocketVersion = "rfc6455";
  /** The subprotocol that was chosen. */
  subprotocol: string | undefined = undefined;
  /** The close code that the peer sent. */
  closeCode: number | undefined = undefined;
  /** The reason that the peer sent. */
  closeReason = "";
  /** What a trusted proxy says of the client. */
  forwarded: Forwarded | null = null;
  /** The topics that it subscribes to, which `Topics` owns. */
  topics: Few<string> = undefined;

  #opening: Opening | null = null;
  #heart: Heart | null = null;
  /** Whether `open()` was called, so that `onClose()` is owed. */
  #opened = false;
  /** What to close with once the handler is not busy. */
  #lastWord: { readonly code: number; readonly reason: string } | null = null;

  /**
   * @param core Whose routes and settings apply.
   * @param transport The runtime's connection.
   * @param owner The server that accepted it, if one did.
   */
  constructor(core: Core, transport: Transport, owner?: Owner) {
    super(transport);
    this.core = core;
    this.owner = owner;
    core.wheel.set(this, core.settings.handshakeTimeout);
  }

  protected override get limits(): Settings {
    return this.core.settings;
  }

  /** See {@linkcode ConnectionInfo.remoteAddress}. */
  get remoteAddress(): Address {
    const hostname = this.forwarded?.hostname;
    if (hostname !== undefined) return { transport: "tcp", hostname, port: 0 };
    return this.transport.remoteAddress;
  }

  /** See {@linkcode ConnectionInfo.localAddress}. */
  get localAddress(): Address {
    return this.transport.localAddress;
  }

  /** See {@linkcode ConnectionInfo.secure}. */
  get secure(): boolean {
    return this.forwarded?.secure ?? this.transport.secure;
  }

  /** Whether the handshake is not over. */
  get isOpening(): boolean {
    return this.phase === "opening";
  }

  /** Whether messages pass. */
  get isOpen(): boolean {
    return this.phase === "open";
  }

  /** Whether the version has binary messages and pings. */
  get hasBinary(): boolean {
    return this.version !== "draft75" && this.version !== "draft76";
  }

  // --- The handshake ----------------------------------------------------------------------------

  /** The request as a Web `Request`. */
  toRequest(): Request {
    if (this.head === null) throw new TypeError("Cannot make a Request: none has arrived");
    return this.head.toRequest(this.secure ? "https" : "http");
  }

  /** Adds a field to the 101. @throws {TypeError} If it is too late, or the field is malformed. */
  setHeader(name: string, value: string): void {
    if (this.#opening === null) {
      throw new TypeError(`Cannot set header ${name}: the handshake is over`);
    }
    this.#opening.setHeader(name, value);
  }

  /** The handshake is over: the handler's `open()` runs, and the bytes behind it are received. */
  accepted(protocol: Protocol, rest: Uint8Array, given: boolean): void {
    const early = this.early ?? [];
    this.early = null;
    this.#opening = null;
    this.wire = protocol;
    this.phase = "open";
    this.#startHeart();
    for (const message of early) this.writeMessage(message);
    this.#opened = true;
    this.call((handler) => handler.open(...(this.match?.args ?? [])));
    if (rest.length > 0) this.receive(rest, given);
    this.pump();
  }

  #startHeart(): void {
    const { settings, wheel } = this.core;
    const pings = this.hasBinary;
    if (!pings && settings.pingInterval > 0) this.transport.setKeepAlive(true);
    if (Heart.needed(settings, pings)) {
      const now = wheel.now();
      this.#heart = new Heart(settings, pings, now);
      wheel.set(this, this.#heart.next - now);
    } else wheel.remove(this);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    if (this.phase === "closed") return;
    beginRead();
    const given = this.transport.givesChunks;
    if (this.#heart !== null) this.#heart.alive = true;
    if (this.phase === "opening") (this.#opening ??= new Opening(this)).data(chunk, given);
    else this.receive(chunk, given);
    endRead();
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.ended = true;
    if (this.phase === "opening") (this.#opening ??= new Opening(this)).end();
    else this.pump();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(): void {
    const { core } = this;
    this.ended = true;
    core.wheel.remove(this);
    core.forget(this);
    this.stopWriting();
    if (this.phase === "opening") this.#leave();
    else this.pump();
    // A handler that never settles must not keep `onClose` away.
    if (this.phase !== "closed") core.wheel.set(this, core.settings.closeTimeout);
  }

  protected override congestionChanged(): void {
    if (this.congested) return this.updateReading();
    if (this.phase === "opening") return this.#opening?.drain();
    if (this.phase === "open") this.call((handler) => handler.onDrain());
    this.pump();
  }

  protected override caughtUp(): void {
    if (this.#lastWord !== null) this.startClose(this.#lastWord.code, this.#lastWord.reason);
    if (this.ended && this.isLive && !this.isBehind) this.#leave();
  }

  protected override noteMessage(): void {
    if (this.core.settings.idleTimeout === 0) return;
    this.#heart?.message(this.core.wheel.now());
  }

  // --- The end ----------------------------------------------------------------------------------

  /** See `WebSocketHandler.ping`. */
  sendPing(payload: string | Uint8Array): void {
    if (this.phase !== "open" || this.wire === null) return;
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    this.wire.writePing(this.output(), bytes);
  }

  /** See `WebSocketHandler.close`. */
  startClose(code?: number, reason = ""): void {
    checkCloseCode(code, reason);
    if (this.phase === "opening") return this.abort();
    if (this.phase !== "open" || this.wire === null) return;
    this.wire.writeClose(this.output(), code, reason);
    this.dropEvents();
    this.#lastWord = null;
    this.phase = "closing";
    if (this.topics !== undefined) this.core.topics.leave(this);
    this.core.wheel.set(this, this.core.settings.closeTimeout);
    // draft75 has no closing handshake: there is nothing to wait for.
    if (this.version === "draft75") this.#leave();
  }

  /** Closes, once a handler that is busy has settled; a handshake gets a 503. */
  shutdown(code: number, reason: string): void {
    if (this.phase === "opening") {
      if (this.#opening === null) this.abort();
      else this.#opening.shutdown();
    } else if (this.phase === "open" && this.busy) {
      this.dropEvents();
      this.#lastWord = { code, reason };
    } else this.startClose(code, reason);
  }

  protected override peerClosed(code: number | undefined, reason: string): void {
    this.closeCode = code;
    this.closeReason = reason;
    // RFC 6455 §5.5.1: an endpoint typically echoes the status code that it received.
    if (this.phase === "open") this.wire?.writeClose(this.output(), code, "");
    this.#leave();
  }

  protected override overflow(error: ProtocolError): void {
    this.fail(error);
  }

  /** The peer broke a rule, or we did: the closing frame says why, in versions that have one. */
  protected override fail(error: Error): void {
    if (!this.isLive) return;
    if (!(error instanceof ProtocolError)) return this.failed(error);
    if (this.phase === "open" && this.hasBinary) {
      this.wire?.writeClose(this.output(), error.code, fitReason(error.message));
    }
    this.#leave();
  }

  /** A callback of the handler threw or rejected: it is logged, and this connection ends. */
  protected override failed(error: unknown): void {
    // That the peer is gone is no fault of the handler that was still writing.
    if (this.phase === "closed" && error instanceof WebSocketClosedError) return;
    this.report(error);
    this.fail(new ProtocolError(1011, "internal error"));
  }

  /** Logs an error of the application, through the handler where there is one. */
  report(error: unknown): void {
    const { log } = this.core.settings;
    try {
      if (this.handler === null) log("Uncaught exception:", error);
      else this.handler.logException(error);
    } catch (another) {
      log("Uncaught exception in logException:", another);
    }
  }

  /** See `WebSocketHandler.asyncCallback`. */
  guard<Result>(callback: () => Result): Result | undefined {
    try {
      const result = callback();
      if (!isThenable(result)) return result;
      return Promise.resolve(result).catch((error) => this.failed(error)) as Result;
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** See `WebSocketHandler.abort`. */
  abort(): void {
    if (this.phase !== "closed") this.#leave();
    this.transport.destroy();
  }

  /** A refused handshake or an answered HTTP request: what is written goes out, and FIN. */
  finish(): void {
    this.#leave();
  }

  /** The session is over: what is written goes out, then FIN, and the handler hears of it. */
  #leave(): void {
    if (this.phase === "closed") return;
    this.flush();
    this.phase = "closed";
    this.#opening?.gone();
    this.#opening = this.#heart = this.wire = null;
    this.stopWriting();
    this.transport.end();
    // What the peer still sends is read and dropped: an unread byte would turn the FIN into a reset
    // that overtakes the closing frame.
    this.stopReading();
    const { core } = this;
    if (core.has(this)) core.wheel.set(this, core.settings.closeTimeout);
    else core.wheel.remove(this);
    if (this.topics !== undefined) core.topics.leave(this);
    if (this.#opened) this.#callOnClose();
  }

  #callOnClose(): void {
    this.guard(() => this.handler?.onClose());
  }

  /** See {@linkcode Timed.expire}. */
  expire(now: number): void {
    if (this.phase === "opening") {
      return this.#opening === null ? this.abort() : this.#opening.late();
    }
    if (this.phase === "open" && this.#heart !== null && !this.ended) this.#beat(this.#heart, now);
    else this.abort();
  }

  #beat(heart: Heart, now: number): void {
    const beat = heart.beat(now, !this.paused);
    if (beat === "dead") return this.abort();
    if (beat === "idle") return this.startClose(1001, "idle timeout");
    if (beat === "ping") this.sendPing("");
    this.core.wheel.set(this, heart.next - now);
  }
}

/** As much of a reason as a closing frame holds: 123 bytes (RFC 6455 §5.5). */
function fitReason(reason: string): string {
  const bytes = new TextEncoder().encodeInto(reason, new Uint8Array(123));
  return reason.slice(0, bytes.read);
}
