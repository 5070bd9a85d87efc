/**
 * The writing half of a connection: messages → frames → one write per chunk or microtask queue.
 *
 * @module
 */
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import { type Flushable, flushSoon, giveOutput, takeOutput } from "./cork.ts";
import { type Message, sizeOf, toPayload } from "./message.ts";
import type { Output } from "../protocol/output.ts";
import type { Protocol } from "../protocol/protocol.ts";
import { Traffic } from "./traffic.ts";
import type { Transport } from "../transport/transport.ts";

/**
 * - `opening`: the request head, the handshake and `prepare()`;
 * - `open`: messages pass;
 * - `closing`: our closing frame is out, the peer's is awaited;
 * - `lost`: the socket is gone, and what came before is still being delivered;
 * - `closed`: nothing passes any more; the socket may still be on its way out.
 */
export type Phase = "opening" | "open" | "closing" | "lost" | "closed";

/** The answer of every write that need not wait: one promise for all, so that none is allocated. */
export const DONE: Promise<void> = Promise.resolve();

/** Output beyond this goes to the transport at once, whatever is still being processed. */
const FLUSH_SIZE = 64 * 1024;

/** Up to this length there is room for a message if there was for the last: FLUSH_SIZE is near. */
const SMALL_SIZE = 4 * 1024;

/** The most bytes that a UTF-16 unit takes in UTF-8. */
const MOST_BYTES = 3;

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

/** A rejection that is safe to ignore. */
function refused(): Promise<void> {
  return ignorable(Promise.reject(closedError()));
}

/** How much output may wait, in bytes. */
export interface OutputLimits {
  /** Beyond it, writers wait. */
  readonly highWaterMark: number;
  /** Beyond it, the connection ends. */
  readonly maxBufferedAmount: number;
}

/** What a connection counts that nobody asks. */
const UNWATCHED = new Traffic();

/** What a connection is to its output, at either end. */
export abstract class Outgoing implements Flushable {
  /** The runtime's connection. */
  readonly transport: Transport;

  /** Where messages and bytes are counted; a field, which is read for every message. */
  protected traffic: Traffic = UNWATCHED;
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
  /** Bytes that the transport was given, ever. */
  #given = 0;

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
    let amount = this.transport.bufferedAmount;
    if (this.#output !== null) amount += this.#output.size;
    if (this.#frame !== null) amount += this.#frame.length;
    for (const payload of this.early ?? []) amount += sizeOf(payload);
    return amount;
  }

  /** Bytes that the system has taken, ever: while they grow, the peer is there. */
  protected get taken(): number {
    return this.#given - this.transport.bufferedAmount;
  }

  /** The wire format, while messages pass. */
  get protocol(): Protocol | null {
    return this.phase === "open" ? this.wire : null;
  }

  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message): Promise<void> {
    const payload = typeof message === "string" ? message : toPayload(message);
    const wire = this.wire;
    if (this.phase !== "open" || wire === null) return this.writeEarly(payload);
    if ((this.congested || payload.length > SMALL_SIZE) && !this.makeRoom(payload)) {
      return refused();
    }
    this.#encode(wire, payload);
    this.traffic.messagesOut++;
    this.flushLarge();
    return this.congested ? this.drained() : DONE;
  }

  /** Encodes a message whole or, where it fails (a stack that is used up), not at all. */
  #encode(wire: Protocol, payload: string | Uint8Array): void {
    const output = this.output();
    const { length } = output;
    try {
      if (typeof payload === "string") wire.writeText(output, payload);
      else wire.writeBinary(output, payload);
    } catch (error) {
      output.length = length;
      throw error;
    }
  }

  /** Writes a message while none passes: before the handshake is over it waits. */
  protected writeEarly(payload: string | Uint8Array): Promise<void> {
    if (this.phase !== "opening" || !this.makeRoom(payload)) return refused();
    // The caller's bytes may change until the handshake is over.
    (this.early ??= []).push(typeof payload === "string" ? payload : payload.slice());
    return DONE;
  }

  /**
   * Sends a frame that a protocol of the same `format` has written, by reference if nothing else
   * waits.
   */
  writeFrame(frame: Uint8Array): void {
    if (this.phase !== "open") return;
    if ((this.congested || frame.length > SMALL_SIZE) && !this.makeRoom(frame)) return;
    this.traffic.messagesOut++;
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
    if (this.phase === "lost" || this.phase === "closed") return refused();
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
    let { highWaterMark } = this.limits;
    if (this.#output !== null) {
      const output = this.#output;
      this.#output = null;
      this.#given += output.size;
      this.traffic.bytesOut += output.size;
      // A payload that went by reference is the caller's again only when all of it is gone.
      if (output.size > output.length) highWaterMark = 0;
      output.flush(this.transport);
      giveOutput(output);
    } else if (this.#frame !== null) {
      const frame = this.#frame;
      this.#frame = null;
      this.#given += frame.length;
      this.traffic.bytesOut += frame.length;
      this.transport.write(frame, true);
    } else return;
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

  /** Whether there is room for one more; if not, the connection ends with 1013. */
  protected makeRoom(payload: string | Uint8Array): boolean {
    const { maxBufferedAmount } = this.limits;
    const room = maxBufferedAmount - this.bufferedAmount;
    if (payload.length * MOST_BYTES <= room || sizeOf(payload) <= room) return true;
    this.overflow(
      new ProtocolError(1013, `more than maxBufferedAmount (${maxBufferedAmount} bytes) wait`),
    );
    return false;
  }
}
