/**
 * One connection: request head → handshake → open → closing → closed.
 *
 * @module
 */
import type { Context, Owner } from "./context.ts";
import { Ending } from "./ending.ts";
import { cork, uncork } from "../connection/cork.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { Keepalive } from "../connection/keepalive.ts";
import { Opening } from "./opening.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Match } from "./routes.ts";
import type { SmallSet } from "../pubsub/small_set.ts";
import type { Address, Transport, TransportEvents } from "../transport/transport.ts";

/**
 * What a handler may know of its connection.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Who extends WebSocketHandler {
 *   override open(): void {
 *     const { remoteAddress, secure, version } = this.connection;
 *     this.writeMessage({ from: remoteAddress.hostname, secure, version });
 *   }
 *   onMessage(): void {}
 * }
 *
 * const client = await connect(new Application([["/", Who]]), "/");
 * assertEquals(
 *   await client.readMessage(),
 *   '{"from":"127.0.0.1","secure":false,"version":"rfc6455"}',
 * );
 * ```
 */
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
export class Connection extends Ending implements TransportEvents, ConnectionInfo {
  /** The request; `null` until it is complete. */
  head: RequestHead | null = null;
  /** The route that the request's path matched. */
  match: Match | null = null;
  /** The subprotocol that was chosen. */
  subprotocol: string | undefined = undefined;
  /** What a trusted proxy says of the client. */
  forwarded: Forwarded | null = null;
  /** The topics that it subscribes to, which `Topics` owns. */
  topics: SmallSet<string> = undefined;

  #opening: Opening | null = null;
  #keepalive: Keepalive | null = null;

  /**
   * @param context Whose routes and settings apply.
   * @param transport The runtime's connection.
   * @param owner The server that accepted it, if one did.
   */
  constructor(context: Context, transport: Transport, owner?: Owner) {
    super(context, transport, owner);
    context.wheel.set(this, context.settings.handshakeTimeout);
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

  /** Stops the reading while the handshake is prepared. */
  holdReading(): void {
    this.paused = true;
    this.transport.pause();
  }

  /** Takes the reading up again. */
  releaseReading(): void {
    this.updateReading();
  }

  protected override writeEarly(payload: string | Uint8Array): Promise<void> {
    if (typeof payload !== "string" && !this.hasBinary) {
      throw new TypeError(`Cannot send a binary message: ${this.version} has none`);
    }
    return super.writeEarly(payload);
  }

  /** The handshake is over: the handler's `open()` runs, and the bytes behind it are received. */
  accepted(protocol: Protocol, rest: Uint8Array, given: boolean): void {
    const early = this.early ?? [];
    this.early = null;
    this.#opening = null;
    this.wire = protocol;
    this.phase = "open";
    this.#startKeepalive();
    for (const message of early) this.writeMessage(message);
    if (!this.isOpen) return;
    this.owesClose = true;
    if (this.match !== null) this.context.counters.open(this.match.pattern, this.version);
    this.call((handler) => handler.open(...(this.match?.args ?? [])));
    if (rest.length > 0 && this.isLive) this.receive(rest, given);
    this.pump();
  }

  #startKeepalive(): void {
    const { settings, wheel } = this.context;
    const pings = this.hasBinary;
    if (!pings && settings.pingInterval > 0) {
      this.transport.setKeepAlive(true, settings.pingInterval);
    }
    if (Keepalive.needed(settings, pings)) {
      const now = wheel.now();
      this.#keepalive = new Keepalive(settings, pings, now);
      wheel.set(this, this.#keepalive.next - now);
    } else wheel.remove(this);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    if (this.phase === "closed") return;
    cork();
    try {
      this.traffic.bytesIn += chunk.length;
      if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
      if (this.phase === "opening") {
        (this.#opening ??= new Opening(this)).data(chunk, this.transport.transfersChunks);
      } else this.take(chunk);
    } finally {
      // Nothing throws but a transport that may not: it must not stop the output of all others.
      uncork();
    }
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.ended = true;
    if (this.phase === "opening") (this.#opening ??= new Opening(this)).end();
    else {
      this.pump();
      this.hurry();
    }
  }

  /** See {@linkcode TransportEvents.closed}. */
  override closed(): void {
    super.closed();
    this.context.forget(this);
  }

  protected override congestionChanged(): void {
    if (this.congested) {
      this.#watchOutput();
      return this.updateReading();
    }
    if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
    if (this.phase === "open") this.call((handler) => handler.onDrain());
    this.pump();
  }

  protected override noteMessage(): void {
    this.traffic.messagesIn++;
    if (this.context.settings.idleTimeout === 0) return;
    this.#keepalive?.message(this.context.wheel.now());
  }

  // --- The end ----------------------------------------------------------------------------------

  /** Closes, once a handler that is busy has settled; a handshake gets a 503. */
  shutdown(code: number, reason: string): void {
    if (this.phase === "opening") {
      if (this.#opening === null) this.abort();
      else this.#opening.shutdown();
    } else if (this.phase === "open" && this.busy) this.closeSoon(code, reason);
    else this.startClose(code, reason);
  }

  protected override leaveTopics(): void {
    if (this.topics !== undefined) this.context.topics.leave(this);
  }

  protected override discard(): void {
    if (this.owesClose && this.match !== null) {
      this.context.counters.close(this.match.pattern, this.version, this.endCode);
    }
    this.#opening?.gone();
    this.#opening = this.#keepalive = null;
  }

  // --- Time -------------------------------------------------------------------------------------

  /** See `WebSocketHandler.ping`. */
  sendPing(payload: string | Uint8Array): void {
    if (this.phase !== "open" || this.wire === null) return;
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    if (this.congested && !this.makeRoom(bytes)) return;
    this.wire.writePing(this.output(), bytes);
  }

  /** See `Timed.expire`. */
  expire(now: number): void {
    if (this.phase === "opening") {
      if (this.#opening === null) this.abort();
      else this.#opening.late();
    } else if (this.phase === "open" && this.#keepalive !== null && !this.ended) {
      this.#tick(this.#keepalive, now);
    } else if (this.isTaking()) this.giveTime();
    else this.abort();
  }

  #tick(keepalive: Keepalive, now: number): void {
    const flow = this.congested ? "stalled" : this.paused ? "busy" : "reading";
    const action = keepalive.tick(now, flow, this.taken);
    if (action === "dead") return this.abort();
    if (action === "idle") return this.startClose(1001, "idle timeout");
    if (action === "ping") this.sendPing("");
    if (keepalive.next !== Infinity) this.context.wheel.set(this, keepalive.next - now);
  }

  /** A client that takes no output is dead as one that is silent, also where there is no ping. */
  #watchOutput(): void {
    const { settings, wheel } = this.context;
    if (this.hasBinary || this.phase !== "open" || this.ended || settings.pingInterval === 0) {
      return;
    }
    const now = wheel.now();
    this.#keepalive ??= new Keepalive(settings, false, now);
    this.#keepalive.outputStalled(now);
    wheel.set(this, this.#keepalive.next - now);
  }
}
