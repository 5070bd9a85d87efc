/**
 * The writing half of a connection: messages → frames → one write per chunk or microtask queue.
 *
 * @module
 */
import { ProtocolError, WebSocketClosedError } from "./errors.ts";
import { type Flushable, flushSoon, giveOutput, takeOutput } from "./flush.ts";
import { type Message, toPayload } from "./message.ts";
import type { Output } from "./protocol/output.ts";
import type { Protocol } from "./protocol/protocol.ts";
import type { Transport } from "./transport/transport.ts";

/**
 * - `opening`: the request head, the handshake and `prepare()`;
 * - `open`: messages pass;
 * - `closing`: our closing frame is out, the peer's is awaited;
 * - `closed`: nothing passes any more; the socket may still be on its way out.
 */
export type Phase = "opening" | "open" | "closing" | "closed";

/** The answer of every write that need not wait: one promise for all, so that none is allocated. */
export const DONE: Promise<void> = Promise.resolve();

/** Output beyond this goes to the transport at once, whatever is still being processed. */
const FLUSH_SIZE = 64 * 1024;

/** A promise that writers wait for, and its two ends. */
interface Waiter {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A promise that is safe to ignore: nobody is punished for not listening to a dead peer. */
function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function closedError(): WebSocketClosedError {
  return new WebSocketClosedError("Cannot write a message: the connection is closed");
}

/** How much output may wait, in bytes. */
export interface OutputLimits {
  /** Beyond it, writers wait. */
  readonly highWaterMark: number;
  /** Beyond it, the connection ends. */
  readonly maxBufferedAmount: number;
}

/** What a connection is to its output, at either end. */
export abstract class Outgoing implements Flushable {
  /** The runtime's connection. */
  readonly transport: Transport;

  /** See {@linkcode Phase}. */
  protected phase: Phase = "opening";
  /** The wire format; there from `open` on. */
  protected wire: Protocol | null = null;
  /** Whether more than the high-water mark waits in the transport. */
  protected congested = false;
  /** Messages written before the handshake is over; `null` if there are none, as nearly always. */
  protected early: (string | Uint8Array)[] | null = null;
  #output: Output | null = null;
  /** A broadcast's frame that waits alone: shared by its receivers, so it goes by reference. */
  #frame: Uint8Array | null = null;
  #waiter: Waiter | null = null;

  /** @param transport The runtime's connection. */
  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** The limits in force. */
  protected abstract get limits(): OutputLimits;
  /** Called when more output has collected than the peer may leave waiting. */
  protected abstract overflow(error: ProtocolError): void;
  /** Called when the peer has to take output before more is written, or no longer. */
  protected abstract congestionChanged(): void;

  /** Bytes that are written and not yet taken by the system. */
  get bufferedAmount(): number {
    return this.transport.bufferedAmount + (this.#output?.size ?? 0) + (this.#frame?.length ?? 0);
  }

  /** The wire format, while messages pass. */
  get protocol(): Protocol | null {
    return this.phase === "open" ? this.wire : null;
  }

  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message): Promise<void> {
    const payload = typeof message === "string" ? message : toPayload(message);
    const wire = this.wire;
    if (this.phase !== "open" || wire === null) return this.#writeUnopened(payload);
    if (this.congested && !this.#makeRoom(payload.length)) return ignorable(this.drained());
    if (typeof payload === "string") wire.writeText(this.output(), payload);
    else wire.writeBinary(this.output(), payload);
    this.flushLarge();
    return this.congested ? this.drained() : DONE;
  }

  #writeUnopened(payload: string | Uint8Array): Promise<void> {
    if (this.phase !== "opening") return ignorable(Promise.reject(closedError()));
    (this.early ??= []).push(payload);
    return DONE;
  }

  /**
   * Sends a frame that a protocol of the same `format` has written, by reference if nothing else
   * waits.
   */
  writeFrame(frame: Uint8Array): void {
    if (this.phase !== "open" || (this.congested && !this.#makeRoom(frame.length))) return;
    if (this.#output !== null || this.#frame !== null) {
      this.output().append(frame);
      this.flushLarge();
    } else {
      this.#frame = frame;
      flushSoon(this);
    }
  }

  /** Resolves when the peer has taken enough; rejects if the connection ends before. */
  drained(): Promise<void> {
    if (this.phase === "closed") return ignorable(Promise.reject(closedError()));
    if (!this.congested) return DONE;
    if (this.#waiter === null) {
      this.#waiter = Promise.withResolvers<void>();
      ignorable(this.#waiter.promise);
    }
    return this.#waiter.promise;
  }

  /** Where to write frames; they go out at the end of the chunk or of the microtask queue. */
  output(): Output {
    if (this.#output === null) {
      this.#output = takeOutput();
      if (this.#frame === null) flushSoon(this);
      else {
        this.#output.append(this.#frame);
        this.#frame = null;
      }
    }
    return this.#output;
  }

  /** Writes bytes that are no frame: of the handshake, of plain HTTP. */
  writeRaw(bytes: Uint8Array): void {
    this.output().append(bytes);
    this.flushLarge();
  }

  /** Sends what waits if it is much. */
  flushLarge(): void {
    if (this.#output !== null && this.#output.size >= FLUSH_SIZE) this.flush();
  }

  /** See {@linkcode Flushable.flush}. */
  flush(): void {
    if (this.#output !== null) {
      const output = this.#output;
      this.#output = null;
      output.flush(this.transport);
      giveOutput(output);
    } else if (this.#frame !== null) {
      const frame = this.#frame;
      this.#frame = null;
      this.transport.write(frame, true);
    } else return;
    const { highWaterMark } = this.limits;
    if (!this.congested && this.transport.bufferedAmount > highWaterMark) {
      this.congested = true;
      this.congestionChanged();
    }
  }

  /** The transport has no output left. */
  drain(): void {
    if (!this.congested) return;
    this.congested = false;
    this.#waiter?.resolve();
    this.#waiter = null;
    this.congestionChanged();
  }

  /** Nothing more can be written: who waits hears of it. */
  protected stopWriting(): void {
    this.congested = false;
    this.early = null;
    this.#waiter?.reject(closedError());
    this.#waiter = null;
  }

  /** Whether there is room for more output; if not, the connection ends with 1013. */
  #makeRoom(size: number): boolean {
    const { maxBufferedAmount } = this.limits;
    if (this.bufferedAmount + size <= maxBufferedAmount) return true;
    this.overflow(
      new ProtocolError(1013, `more than maxBufferedAmount (${maxBufferedAmount} bytes) wait`),
    );
    return false;
  }
}
