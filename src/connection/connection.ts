/**
 * One established WebSocket, for either end: its states, its closing handshake, its failures and
 * its end.
 *
 * @module
 */
import { type ProtocolError, WebSocketClosedError } from "../errors.ts";
import { checkCloseCode, fitReason } from "../protocol/close_frame.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";
import type { InternalTransport, Transport, TransportEvents } from "../transport/transport.ts";
import { asSent, type ConnectionEnd, type EndedBy, lossOf, unclosed } from "./connection_end.ts";
import { cork, uncork } from "./cork.ts";
import type {
  ConnectionEnvironment,
  ConnectionOptions,
  ConnectionReceiver,
  ConnectionRole,
} from "./connection_options.ts";
import { Keepalive } from "./keepalive.ts";
import { Linger } from "./linger.ts";
import { Reader } from "./reader.ts";
import { type ConnectionEvent, type PeerState, type State, TRANSITIONS } from "./states.ts";
import type { Writer, WriterEvents } from "./writer.ts";

const EMPTY = new Uint8Array(0);

/** One established WebSocket. */
export class Connection implements TransportEvents, Timed, WriterEvents {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  /** The input. */
  readonly reader: Reader;
  /** The output. */
  readonly writer: Writer;
  readonly #transport: InternalTransport;
  readonly #role: ConnectionRole;
  readonly #receiver: ConnectionReceiver;
  readonly #environment: ConnectionEnvironment;
  #state: State = "open";
  readonly #protocol: Protocol;
  #keepalive: Keepalive | null = null;
  /** Why it ends, as soon as that is known. */
  #end: ConnectionEnd | null = null;
  /** See {@linkcode PeerState}. */
  #peer: PeerState = "sending";
  /** The closing frame that the peer sent. */
  #peerClose: ConnectionEnd | null = null;
  /** The socket's own error, if it was lost by one. */
  #lostBy: Error | undefined = undefined;

  /** @param transport The runtime's connection. @param options What the connection is made of. */
  constructor(transport: Transport, options: ConnectionOptions) {
    const { role, protocol, writer, receiver, environment } = options;
    this.#transport = transport;
    this.#role = role;
    this.#protocol = protocol;
    this.#receiver = receiver;
    this.#environment = environment;
    this.writer = writer;
    this.reader = new Reader(transport, {
      protocol,
      receiver,
      writer: role.readsWhileCongested ? null : writer,
    });
    writer.events = this;
    writer.environment = environment;
    writer.protocol = protocol;
    transport.events = this;
    this.#startKeepalive();
  }

  /** See {@linkcode State}. */
  get state(): State {
    return this.#state;
  }

  /** Whether messages pass in both directions. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether messages that arrive are delivered. */
  get isLive(): boolean {
    return this.#state !== "closed";
  }

  /** Why it ended; `undefined` before. */
  get ended(): ConnectionEnd | undefined {
    return this.#state === "closed" ? this.#end ?? undefined : undefined;
  }

  /** The close code that the peer sent. */
  get closeCode(): number | undefined {
    const code = this.#peerClose?.code;
    return code === 1005 ? undefined : code;
  }

  /** The reason that the peer sent. */
  get closeReason(): string {
    return this.#peerClose?.reason ?? "";
  }

  /** Whether the peer sends nothing more. */
  get #peerEnded(): boolean {
    return this.#peer === "ended" || this.#peer === "gone";
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    cork();
    try {
      this.#environment.turns.begin();
      this.#environment.traffic.bytesIn += chunk.length;
      if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
      this.reader.receive(chunk, this.#transport.transfersChunks === true);
    } finally {
      // Nothing throws but a transport that may not: it must not stop the output of all others.
      uncork();
    }
  }

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {
    this.writer.drain();
  }

  /** See {@linkcode TransportEvents.end}. */
  end(): void {
    this.#peer = "ended";
    this.#receiver.resume();
    this.hurry();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(error?: Error): void {
    this.#peer = "gone";
    this.#lostBy = error;
    this.#environment.wheel.remove(this);
    this.writer.stop(new WebSocketClosedError("the socket is gone", { cause: error }));
    this.#apply("gone");
    this.#receiver.resume();
    this.hurry();
    this.#receiver.gone();
  }

  // --- Events of the writer ---------------------------------------------------------------------

  /** See {@linkcode WriterEvents.overflow}. */
  overflow(error: ProtocolError): void {
    this.fail(error, "overflow");
  }

  /** See {@linkcode WriterEvents.congested}. */
  congested(): void {
    this.#watchOutput();
    this.reader.update();
  }

  /** See {@linkcode WriterEvents.drained}. */
  drained(): void {
    if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
    if (this.#state === "closing") this.#endOutput();
    this.#receiver.drained();
  }

  // --- Pings ------------------------------------------------------------------------------------

  /** Sends a ping of 125 bytes at most, in a version that has pings. */
  ping(payload: Uint8Array): void {
    if (this.#state === "open") this.writer.writePing(payload);
  }

  /** Answers a ping. */
  pong(payload: Uint8Array): void {
    this.writer.writePong(payload);
  }

  // --- The closing handshake --------------------------------------------------------------------

  /**
   * Starts the closing handshake. What arrives before the peer's part of it is still delivered.
   * Further calls do nothing.
   *
   * @param code The close code, if there is one to send.
   * @param reason The reason.
   * @param by Who closes.
   * @throws {RangeError} If the code or the reason cannot be sent.
   */
  close(code?: number, reason = "", by: EndedBy = this.#role.name): void {
    checkCloseCode(code, reason);
    this.#apply("close", { by, code: code ?? 1005, reason });
  }

  /** The peer's closing frame, in its place behind the messages. */
  peerClosed(code: number | undefined, reason: string): void {
    if (this.#state === "closed") return;
    const end = this.#peerClose = { by: "peer", code: code ?? 1005, reason } as const;
    this.#apply("peerClose", end);
  }

  /**
   * Ends the connection for an error. The closing frame tells the peer why, in versions that have
   * close codes.
   *
   * @param error What the peer is told.
   * @param by Who broke what.
   * @param cause What this end is told, if it is not the same.
   */
  fail(error: ProtocolError, by: EndedBy, cause: Error = error): void {
    const { code, message } = error;
    this.#apply("fail", { by, code, reason: fitReason(message), error: cause });
  }

  /** Cuts the connection off, with no closing handshake. */
  abort(by: EndedBy = this.#role.name, error?: Error): void {
    this.#apply("abort", unclosed(by, error));
  }

  /** Everything that could be delivered was: ends what the peer has ended, and reads on. */
  settle(): void {
    if (this.#peerEnded && !this.#receiver.isBehind && !this.reader.isBehind) {
      this.#apply("peerEnd", lossOf(this.#protocol, this.#lostBy));
    }
    this.reader.update();
  }

  /** Does what the table says. */
  #apply(event: ConnectionEvent, end?: ConnectionEnd): void {
    const { next, sendsClose, destroys } = TRANSITIONS[this.#state][event];
    if (next === this.#state) return;
    if (end !== undefined) {
      const protocol = this.#protocol;
      this.#end ??= this.#earlier(end) ?? asSent(end, { event, sendsClose, protocol });
      if (sendsClose) this.#sendClose(event, end);
    }
    this.writer.flush();
    // The flush may have found that too much waits.
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = next;
    this.writer.protocol = null;
    if (wasOpen) this.#receiver.closing();
    if (next === "closed") this.#finish(event, destroys);
    else if (next === "closing") this.#await();
  }

  /** What has ended it already, and waits behind messages. */
  #earlier({ by }: ConnectionEnd): ConnectionEnd | null {
    if (this.#peerClose !== null || this.#state !== "lost") return this.#peerClose;
    return by === "peer" || by === "protocol" ? null : lossOf(this.#protocol, this.#lostBy);
  }

  #sendClose(event: ConnectionEvent, { code, reason }: ConnectionEnd): void {
    const protocol = this.#protocol;
    // Without a close code the peer cannot be told what failed.
    if (event === "fail" && !protocol.hasBinary) return;
    // After the peer's closing frame this echoes its code and reason (RFC 6455 §5.5.1).
    protocol.writeClose(this.writer.output(), code === 1005 ? undefined : code, reason);
  }

  /** Waits for the peer's part of the closing handshake. */
  #await(): void {
    if (!this.writer.congested) this.#endOutput();
    this.#armCloseTimer();
    // The peer's closing frame may be among the bytes that are held.
    if (this.reader.isBehind) queueMicrotask(() => this.#receiver.resume());
  }

  /** Without a closing frame, FIN is what tells the peer. A transport that has ended never drains. */
  #endOutput(): void {
    if (!this.#protocol.hasClosingFrame) this.#transport.end();
  }

  /** Nothing passes any more: what is written goes out, then FIN, and the receiver hears of it. */
  #finish(event: ConnectionEvent, destroys: boolean): void {
    const end = this.#end ??= unclosed("network", this.#lostBy);
    this.#environment.wheel.remove(this);
    this.#protocol.free?.();
    this.#keepalive = null;
    this.writer.stop(end.error ?? new WebSocketClosedError("the connection has ended"));
    this.reader.stop();
    if (this.#peer !== "gone") {
      // "the server MUST close the TCP connection first" in all but unusual cases (§7.1.1);
      // draft76 leaves it to either.
      const peerEndsFirst = event === "peerClose" && !this.#role.endsFirst &&
        this.#protocol.hasBinary && !this.#peerEnded;
      new Linger(this.#transport, {
        wheel: this.#environment.wheel,
        timeout: this.#environment.limits.closeTimeout,
        peerEndsFirst,
        gone: () => this.#receiver.gone(),
      });
      if (destroys) this.#transport.destroy();
    }
    this.#receiver.ended(end);
  }

  // --- Time -------------------------------------------------------------------------------------

  /** A message has arrived. */
  countMessage(): void {
    this.#environment.traffic.messagesIn++;
    if (this.#environment.limits.idleTimeout > 0) {
      this.#keepalive?.message(this.#environment.wheel.now());
    }
  }

  /** Starts or stops the pings. */
  #startKeepalive(): void {
    const limits = this.#environment.limits;
    const pings = this.#protocol.hasBinary;
    if (!pings && limits.pingInterval > 0) {
      this.#transport.setKeepAlive(true, limits.pingInterval);
    }
    if (!Keepalive.needed(limits, pings)) return this.#environment.wheel.remove(this);
    const now = this.#environment.wheel.now();
    this.#keepalive = new Keepalive(limits, pings, now);
    this.#environment.wheel.set(this, this.#keepalive.next - now);
  }

  /** See {@linkcode Timed.expire}. */
  expire(now: number): void {
    const isWatched = this.#state === "open" && this.#keepalive !== null && !this.#peerEnded;
    if (isWatched) this.#tick(this.#keepalive as Keepalive, now);
    else if (this.#keepsUnread) return;
    else if (this.writer.isProgressing) this.#armCloseTimer();
    else this.abort(this.#peerEnded ? "network" : "timeout");
  }

  #tick(keepalive: Keepalive, now: number): void {
    const flow = this.writer.congested ? "stalled" : this.reader.paused ? "busy" : "reading";
    const action = keepalive.tick(now, flow, this.writer.flushedBytes);
    if (action === "dead") {
      const { pingTimeout } = this.#environment.limits;
      return this.abort(
        "timeout",
        new WebSocketClosedError(`no data within pingTimeout (${pingTimeout} ms) of a ping`),
      );
    }
    if (action === "idle") return this.close(1001, "idle timeout", "timeout");
    if (action === "ping") this.ping(EMPTY);
    if (keepalive.next !== Infinity) this.#environment.wheel.set(this, keepalive.next - now);
  }

  /** A peer that takes no output is dead as one that is silent, also where there is no ping. */
  #watchOutput(): void {
    const { pingInterval } = this.#environment.limits;
    if (this.#protocol.hasBinary || this.#state !== "open" || this.#peerEnded) return;
    if (pingInterval === 0) return;
    const now = this.#environment.wheel.now();
    this.#keepalive ??= new Keepalive(this.#environment.limits, false, now);
    this.#keepalive.outputStalled(now);
    this.#environment.wheel.set(this, this.#keepalive.next - now);
  }

  /**
   * Gives the receiver `closeTimeout` for its next step once the peer has done its part: a callback
   * that never settles must not keep the end away.
   */
  hurry(): void {
    if (this.#state === "closed" || this.#keepsUnread) return;
    const isAnswered = this.#state === "closing" && this.#peerClose !== null;
    if (this.#peerEnded || isAnswered) this.#armCloseTimer();
  }

  /** The peer's closing frame has arrived, and waits for its turn. */
  closeWaits(code: number | undefined, reason: string): void {
    this.#peerClose = { by: "peer", code: code ?? 1005, reason };
    this.hurry();
  }

  /** Whether what the peer has left behind waits for its reader. */
  get #keepsUnread(): boolean {
    return this.#peerEnded && this.#state !== "closing" && this.#role.keepsUnread;
  }

  /** Gives what is left to do `closeTimeout`, and as much again while the peer takes output. */
  #armCloseTimer(): void {
    const { limits, wheel } = this.#environment;
    this.writer.watchProgress();
    if (limits.closeTimeout > 0) wheel.set(this, limits.closeTimeout);
    else wheel.remove(this);
  }
}
