/**
 * An established WebSocket, of a server or a client: its states, closing handshake and failures.
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

/** An established WebSocket. */
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
  /** Why the connection ends; `null` until that is known. */
  #end: ConnectionEnd | null = null;
  /** See {@linkcode PeerState}. */
  #peer: PeerState = "sending";
  /** The code and reason of the peer's close frame; `null` if none has arrived. */
  #peerClose: ConnectionEnd | null = null;
  /** The error that closed the socket, if any. */
  #lostBy: Error | undefined = undefined;

  /** @param transport The socket. @param options The parts of the connection. */
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

  /** Whether messages are still delivered. */
  get isLive(): boolean {
    return this.#state !== "closed";
  }

  /** Why the connection ended; `undefined` until then. */
  get ended(): ConnectionEnd | undefined {
    return this.#state === "closed" ? this.#end ?? undefined : undefined;
  }

  /** The close code that the peer sent, if any. */
  get closeCode(): number | undefined {
    const code = this.#peerClose?.code;
    return code === 1005 ? undefined : code;
  }

  /** The close reason that the peer sent; empty if none. */
  get closeReason(): string {
    return this.#peerClose?.reason ?? "";
  }

  /** Whether the peer has sent FIN or the socket is closed. */
  get #peerEnded(): boolean {
    return this.#peer === "ended" || this.#peer === "gone";
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    cork();
    try {
      this.#environment.traffic.bytesIn += chunk.length;
      if (this.#keepalive !== null) this.#keepalive.sawTraffic = true;
      this.reader.receive(chunk, this.#transport.transfersChunks === true);
    } finally {
      // A transport must not throw. If it does, the output of other connections is still sent.
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
    this.armCloseTimer();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(error?: Error): void {
    // After FIN, the close timer is running already.
    const hasTimer = this.#peerEnded;
    this.#peer = "gone";
    this.#lostBy = error;
    if (!hasTimer) this.#environment.wheel.remove(this);
    this.writer.stop(error);
    this.#apply("gone");
    this.#receiver.resume();
    if (!hasTimer) this.armCloseTimer();
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
    this.#keepalive?.outputCongested(this.#environment.wheel.now());
    this.reader.update();
  }

  /** See {@linkcode WriterEvents.drained}. */
  drained(): void {
    if (this.#keepalive?.outputDrained(this.#environment.wheel.now())) this.ping(EMPTY);
    if (this.#state === "closing") this.#endOutput();
    this.#receiver.drained();
  }

  // --- Pings ------------------------------------------------------------------------------------

  /** Sends a ping of 125 bytes at most, in a version that has pings. */
  ping(payload: Uint8Array): void {
    if (this.#state !== "open") return;
    this.writer.writePing(payload);
    this.#receiver.pinged(payload);
  }

  /** Answers a ping. */
  pong(payload: Uint8Array): void {
    this.writer.writePong(payload);
  }

  // --- The closing handshake --------------------------------------------------------------------

  /**
   * Starts the closing handshake. Messages that arrive before the peer's close frame are still
   * delivered. Further calls do nothing.
   *
   * @param code The close code. Default: none is sent.
   * @param reason The reason.
   * @param by Who closes the connection.
   * @throws {RangeError} If the code or the reason cannot be sent.
   */
  close(code?: number, reason = "", by: EndedBy = this.#role.name): void {
    checkCloseCode(code, reason);
    this.#apply("close", { by, code: code ?? 1005, reason });
  }

  /** Handles the peer's close frame, after all messages before it were delivered. */
  peerClosed(code: number | undefined, reason: string): void {
    if (this.#state === "closed") return;
    const end = this.#peerClose = { by: "peer", code: code ?? 1005, reason } as const;
    this.#apply("peerClose", end);
  }

  /**
   * Closes the connection because of an error. In versions with close codes, a close frame has its
   * code and message.
   *
   * @param error The error for the peer.
   * @param by Who caused the error.
   * @param cause The error for this end. Default: `error`.
   */
  fail(error: ProtocolError, by: EndedBy, cause: Error = error): void {
    const { code, message } = error;
    this.#apply("fail", { by, code, reason: fitReason(message), error: cause });
  }

  /** Closes the socket at once, without a closing handshake. */
  abort(by: EndedBy = this.#role.name, error?: Error): void {
    this.#apply("abort", unclosed(by, error));
  }

  /**
   * Called when the receiver has caught up. Ends the connection if the peer has ended it; else reads
   * more.
   */
  settle(): void {
    if (this.#peerEnded && !this.#receiver.isBehind && !this.reader.isBehind) {
      this.#apply("peerEnd", lossOf(this.#protocol, this.#lostBy));
    }
    this.reader.update();
  }

  /** Applies a row of {@linkcode TRANSITIONS}. */
  #apply(event: ConnectionEvent, end?: ConnectionEnd): void {
    const { next, sendsClose, destroys } = TRANSITIONS[this.#state][event];
    if (next === this.#state) return;
    if (end !== undefined) {
      const protocol = this.#protocol;
      this.#end ??= this.#earlier(end) ?? asSent(end, { event, sendsClose, protocol });
      if (sendsClose) this.#sendClose(event, end);
    }
    this.writer.flush();
    // The flush may have closed the connection, because too much output waits.
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = next;
    this.writer.seal(this.#end?.error);
    if (wasOpen) this.#receiver.closing();
    if (next === "closed") this.#finish(event, destroys);
    else if (next === "closing") this.#awaitClose();
  }

  /** Returns the end that came earlier. It waits until messages before it are delivered. */
  #earlier({ by }: ConnectionEnd): ConnectionEnd | null {
    if (this.#peerClose !== null || this.#state !== "lost") return this.#peerClose;
    return by === "protocol" ? null : lossOf(this.#protocol, this.#lostBy);
  }

  #sendClose(event: ConnectionEvent, { code, reason }: ConnectionEnd): void {
    const protocol = this.#protocol;
    // In versions without close codes, the error cannot be sent.
    if (event === "fail" && !protocol.hasBinary) return;
    // An answer to the peer's close frame echoes its code and reason (RFC 6455 §5.5.1).
    protocol.writeClose(this.writer.output(), code === 1005 ? undefined : code, reason);
  }

  /** Waits for the peer's close frame. */
  #awaitClose(): void {
    if (!this.writer.congested) this.#endOutput();
    this.#setCloseTimer();
    // The peer's close frame may be among the held bytes.
    if (this.reader.isBehind) queueMicrotask(() => this.#receiver.resume());
  }

  /** Sends FIN in a version without close frames, after all output: FIN stops the events. */
  #endOutput(): void {
    if (!this.#protocol.hasCloseFrame) this.#transport.end();
  }

  /** Enters the state `closed`: sends the remaining output and FIN, and notifies the receiver. */
  #finish(event: ConnectionEvent, destroys: boolean): void {
    const end = this.#end ??= unclosed("network", this.#lostBy);
    this.#environment.wheel.remove(this);
    this.#protocol.free?.();
    this.#keepalive = null;
    this.writer.stop(end.error);
    this.reader.stop();
    if (this.#peer !== "gone") {
      // "the server MUST close the TCP connection first" in all but unusual cases (§7.1.1);
      // draft76 has no such rule.
      const peerEndsFirst = event === "peerClose" && !this.#role.endsFirst &&
        this.#protocol.hasBinary && !this.#peerEnded;
      new Linger(this.#transport, {
        wheel: this.#environment.wheel,
        timeout: this.#environment.limits.closeTimeout,
        peerEndsFirst,
        owner: this.#receiver,
      });
      if (destroys) this.#transport.destroy();
    }
    this.#receiver.ended(end);
  }

  // --- Time -------------------------------------------------------------------------------------

  /** Counts a message that has arrived. @param count 0 for a part of a message. */
  countMessage(count = 1): void {
    this.#environment.traffic.messagesIn += count;
    if (this.#environment.limits.idleTimeout > 0) {
      this.#keepalive?.message(this.#environment.wheel.now());
    }
  }

  /** Starts the keepalive, if there is anything to watch. */
  #startKeepalive(): void {
    const limits = this.#environment.limits;
    const pings = this.#protocol.hasBinary;
    if (!pings && limits.pingInterval > 0) {
      this.#transport.setKeepAlive(true, limits.pingInterval);
    }
    if (!Keepalive.needed(limits, pings)) return;
    const now = this.#environment.wheel.now();
    this.#keepalive = new Keepalive(limits, pings, now);
    this.#environment.wheel.set(this, this.#keepalive.next - now);
  }

  /** See {@linkcode Timed.expire}. */
  expire(now: number): void {
    const isWatched = this.#state === "open" && this.#keepalive !== null && !this.#peerEnded;
    if (isWatched) this.#tick(this.#keepalive as Keepalive, now);
    else if (this.#keepsUnread) return;
    else if (this.writer.isProgressing) this.#setCloseTimer();
    else if (!this.#peerEnded) this.abort("timeout");
    else this.#apply("abort", lossOf(this.#protocol, this.#lostBy));
  }

  #tick(keepalive: Keepalive, now: number): void {
    const flow = this.writer.congested ? "stalled" : this.reader.takeFlow();
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

  /** Watches stalled output in versions without pings: a peer that reads nothing counts as dead. */
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
   * Starts the close timer if the peer has sent FIN, or has answered our close frame. A callback of
   * the application that never settles must not keep the connection open.
   */
  armCloseTimer(): void {
    if (this.#state === "closed" || this.#keepsUnread) return;
    const isAnswered = this.#state === "closing" && this.#peerClose !== null;
    if (this.#peerEnded || isAnswered) this.#setCloseTimer();
  }

  /**
   * Called when the peer's close frame has arrived and messages before it are not delivered yet.
   */
  closeWaits(code: number | undefined, reason: string): void {
    this.#peerClose = { by: "peer", code: code ?? 1005, reason };
    this.armCloseTimer();
  }

  /** Whether unread messages of a peer that has ended are kept. */
  get #keepsUnread(): boolean {
    return this.#peerEnded && this.#state !== "closing" && this.#role.keepsUnread;
  }

  /** Starts the close timer. It starts again when it expires, as long as the peer reads output. */
  #setCloseTimer(): void {
    const { limits, wheel } = this.#environment;
    this.writer.watchProgress();
    if (limits.closeTimeout > 0) wheel.set(this, limits.closeTimeout);
    else wheel.remove(this);
  }
}
