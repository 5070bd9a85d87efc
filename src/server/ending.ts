/**
 * How a connection ends, in every way that it can: the closing handshake, an error, the loss of its
 * socket. Whichever comes first, `onClose()` follows once, and nothing waits for ever.
 *
 * @module
 */
import { caught, guard } from "../guard.ts";
import { fitReason } from "../protocol/close_reason.ts";
import type { Context, Owned, Owner } from "./context.ts";
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import type { WebSocketVersion } from "../handshake/versions.ts";
import { Incoming } from "./incoming.ts";
import { checkCloseCode } from "../protocol/close_code.ts";
import type { Settings } from "./settings.ts";
import type { Transport } from "../transport/transport.ts";
import type { Link, Timed } from "../timing/timing_wheel.ts";

/** What {@linkcode Connection} is to its end. */
export abstract class Ending extends Incoming implements Timed, Owned {
  /** What the connections of its application share. */
  readonly context: Context;
  /** The server that accepted it, if one did. */
  readonly owner: Owner | undefined;

  /** See {@linkcode Owned}. */
  index = -1;
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;

  /** The version that is spoken; meaningless until the handshake tells it. */
  version: WebSocketVersion = "rfc6455";
  /** The close code that the peer sent. */
  closeCode: number | undefined = undefined;
  /** The reason that the peer sent. */
  closeReason = "";
  /** The code of the first closing frame, theirs or ours; 1005 if it has none, 1006 without one. */
  protected endCode = 1006;
  /** Whether `open()` was called and `onClose()` has not returned. */
  protected owesClose = false;
  /** Whether the socket is gone. */
  #gone = false;
  /** What the client had taken of the output when its time was set. */
  #takenThen = 0;
  /** What to close with once the handler is not busy. */
  #lastWord: { readonly code: number; readonly reason: string } | null = null;

  /**
   * @param context Whose routes and settings apply.
   * @param transport The runtime's connection.
   * @param owner The server that accepted it, if one did.
   */
  constructor(context: Context, transport: Transport, owner?: Owner) {
    super(transport);
    this.context = context;
    this.traffic = context.counters.traffic;
    this.owner = owner;
  }

  /** See {@linkcode Timed.expire}. */
  abstract expire(now: number): void;
  /** See {@linkcode Owned.shutdown}. */
  abstract shutdown(code: number, reason: string): void;
  /** Nothing passes any more: what only a living connection needs can go. */
  protected abstract discard(): void;
  /** Leaves the topics that it subscribes to. */
  protected abstract leaveTopics(): void;

  protected override get limits(): Settings {
    return this.context.settings;
  }

  /** Whether the version has binary messages and pings. */
  get hasBinary(): boolean {
    return this.version !== "draft75" && this.version !== "draft76";
  }

  // --- The closing handshake --------------------------------------------------------------------

  /** See `WebSocketHandler.close`. */
  startClose(code?: number, reason = ""): void {
    checkCloseCode(code, reason);
    if (this.phase === "opening") return this.abort();
    if (this.phase === "lost") return this.leave();
    if (this.phase !== "open" || this.wire === null) return;
    this.wire.writeClose(this.output(), code, reason);
    // draft75 has no closing handshake: there is nothing to wait for.
    if (this.version === "draft75") return this.leave();
    this.endCode = this.hasBinary ? code ?? 1005 : 1005;
    this.dropEvents();
    this.#lastWord = null;
    this.phase = "closing";
    this.leaveTopics();
    this.flush();
    this.giveTime();
    // The peer's closing frame may be among the bytes that are held.
    if (this.paused) queueMicrotask(() => this.pump());
  }

  /** Closes once the handler has settled. */
  protected closeSoon(code: number, reason: string): void {
    this.dropEvents();
    this.#lastWord = { code, reason };
  }

  protected override rested(): void {
    if (this.#lastWord !== null) this.startClose(this.#lastWord.code, this.#lastWord.reason);
    this.hurry();
  }

  protected override peerClosed(code: number | undefined, reason: string): void {
    this.closeCode = code;
    this.closeReason = reason;
    // RFC 6455 §5.5.1: an endpoint typically echoes the status code that it received.
    if (this.phase === "open") {
      this.endCode = code ?? 1005;
      this.wire?.writeClose(this.output(), code, "");
    }
    this.leave();
  }

  // --- Errors -----------------------------------------------------------------------------------

  protected override overflow(error: ProtocolError): void {
    if (this.phase === "opening") this.abort();
    else this.fail(error);
  }

  /** The peer broke a rule, or we did: the closing frame says why, in versions that have one. */
  protected override fail(error: Error): void {
    if (!this.isLive) return;
    if (!(error instanceof ProtocolError)) return this.failed(error);
    if (this.phase === "open" && this.hasBinary) {
      this.endCode = error.code;
      this.wire?.writeClose(this.output(), error.code, fitReason(error.message));
    }
    this.leave();
  }

  /** A callback of the handler threw or rejected: it is logged, and this connection ends. */
  protected override failed(thrown: unknown): void {
    const error = caught(thrown);
    // That the connection has ended is no fault of the handler that was still writing.
    if (this.phase !== "open" && error instanceof WebSocketClosedError) return;
    this.report(error);
    this.fail(new ProtocolError(1011, "internal error"));
  }

  /** Logs an error of the application, through the handler where there is one. */
  report(error: unknown): void {
    const { context, handler } = this;
    if (handler === null) return context.log("Uncaught exception:", error);
    guard(
      (): unknown => handler.logException(error),
      (another) => context.log("Uncaught exception in logException:", another),
    );
  }

  /** See `WebSocketHandler.asyncCallback`. */
  guard<Result>(callback: () => Result): Result | undefined {
    return guard(callback, (error) => this.failed(error));
  }

  // --- The end ----------------------------------------------------------------------------------

  protected override caughtUp(): void {
    if (this.ended && this.isLive && !this.isBehind) this.leave();
  }

  /** See `TransportEvents.closed`. */
  closed(): void {
    this.#gone = true;
    this.ended = true;
    this.context.wheel.remove(this);
    this.stopWriting();
    if (this.phase === "open") this.phase = "lost";
    if (this.isLive) this.pump();
    else this.leave();
    this.hurry();
    this.#release();
  }

  /** See `WebSocketHandler.abort`. */
  abort(): void {
    this.leave();
    this.transport.destroy();
  }

  /** The session is over: what is written goes out, then FIN, and the handler hears of it. */
  leave(): void {
    if (this.phase === "closed") return;
    this.flush();
    this.phase = "closed";
    this.discard();
    this.wire?.free?.();
    this.wire = null;
    this.stopWriting();
    this.transport.end();
    // What the peer still sends is read and dropped: an unread byte would turn the FIN into a reset
    // that overtakes the closing frame.
    this.stopReading();
    if (this.#gone) this.context.wheel.remove(this);
    else this.giveTime();
    this.leaveTopics();
    // Not at once: the handler may be in the middle of the call that ended the connection.
    if (this.owesClose) queueMicrotask(() => this.#callOnClose());
  }

  #callOnClose(): void {
    const failed = (error: unknown) => this.failed(error);
    guard((): unknown => this.handler?.onClose(), failed, () => {
      this.owesClose = false;
      this.#release();
    });
  }

  /** The owner waits for the socket's end, and for the handler's. */
  #release(): void {
    if (this.#gone && this.phase === "closed" && !this.owesClose) this.owner?.forget(this);
  }

  /** See {@linkcode Owned.cut}. */
  cut(): void {
    this.abort();
    this.owesClose = false;
    this.#release();
  }

  // --- Time -------------------------------------------------------------------------------------

  /** A handler that never settles must not keep `onClose` away once the peer is gone. */
  protected hurry(): void {
    if (this.ended && this.isLive) this.giveTime();
  }

  /** Gives what is left to do `closeTimeout`. */
  protected giveTime(): void {
    this.#takenThen = this.taken;
    this.context.wheel.set(this, this.context.settings.closeTimeout);
  }

  /** Whether the client has taken output since its time was set; then it gets as much again. */
  isTaking(): boolean {
    const { taken } = this;
    const isTaking = this.transport.bufferedAmount > 0 && taken > this.#takenThen;
    this.#takenThen = taken;
    return isTaking;
  }
}
