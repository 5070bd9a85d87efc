/**
 * The output of a connection: encodes messages and combines frames into one write (see `cork.ts`).
 *
 * @module
 */
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import type { Output } from "../protocol/output.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Transport } from "../transport/transport.ts";
import { type Flushable, flushSoon, giveOutput, takeOutput } from "./cork.ts";
import { type Message, sizeOf, toPayload } from "./message.ts";
import type { OutgoingMessage } from "./outgoing_message.ts";
import { OutgoingQueue, type QueueWriter } from "./outgoing_queue.ts";
import type { WriterEnvironment } from "./writer_environment.ts";

/** Waiting output of at least this many bytes goes to the transport at once. */
const FLUSH_SIZE = 64 * 1024;

/**
 * Messages below this size skip the check for room, unless the connection is congested. So one such
 * message can exceed a limit. In UTF-16 units or bytes.
 */
const SMALL_SIZE = 4 * 1024;

/** The most bytes that a UTF-16 unit takes in UTF-8. */
const MAX_UTF8_BYTES = 3;

/** Returns a promise whose rejection may be ignored. */
export function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** The events of a writer. */
export interface WriterEvents {
  /** More than `maxBufferedAmount` would wait. */
  overflow(error: ProtocolError): void;
  /** More than `highWaterMark` waits. */
  congested(): void;
  /** The system has accepted all output. */
  drained(): void;
}

/** Writes and a pong that wait for the end of the congestion. */
class Stall {
  /** The promise of all writes. */
  waiter: PromiseWithResolvers<void> | null = null;
  /** The payload of the last unanswered ping. */
  ping: Uint8Array | null = null;
}

/** The output of a connection. */
export class Writer implements Flushable, QueueWriter {
  /** Whether more than `highWaterMark` waited, and the transport has not drained since. */
  congested = false;
  /** The receiver of events. */
  events: WriterEvents;
  /** The protocol while messages can be written; else `null`. */
  protocol: Protocol | null = null;
  /** The shared objects. */
  environment: WriterEnvironment;
  readonly #transport: Transport;
  #output: Output | null = null;
  /** The frame of a broadcast, if no other output waits. It is shared and must not change. */
  #frame: Uint8Array | null = null;
  /** The writes and the pong that wait for the end of the congestion. Created on first use. */
  #stall: Stall | null = null;
  /** The messages that wait while one is sent in pieces; `null` if none is. */
  #queue: OutgoingQueue | null = null;
  /** How many bytes were written to the transport so far. */
  #written = 0;
  /** `flushedBytes` at the last call of {@linkcode watchProgress}. */
  #flushedBefore = 0;
  /** Why writing has stopped: `null` without a cause; `undefined` while it has not stopped. */
  #stopped: Error | null | undefined = undefined;

  /**
   * @param transport The socket.
   * @param environment The shared objects.
   * @param events The receiver of events.
   */
  constructor(transport: Transport, environment: WriterEnvironment, events: WriterEvents) {
    this.#transport = transport;
    this.environment = environment;
    this.events = events;
  }

  /** How many written bytes the system has not accepted yet. */
  get bufferedAmount(): number {
    let amount = this.#transport.bufferedAmount;
    if (this.#output !== null) amount += this.#output.size;
    if (this.#frame !== null) amount += this.#frame.length;
    if (this.#queue !== null) amount += this.#queue.size;
    return amount;
  }

  /** How many bytes the system has accepted so far. While this grows, the peer reads. */
  get flushedBytes(): number {
    return this.#written - this.#transport.bufferedAmount;
  }

  /** Sets the start for {@linkcode isProgressing}. */
  watchProgress(): void {
    this.#flushedBefore = this.flushedBytes;
  }

  /** Whether output waits, and some has left since {@linkcode watchProgress}. */
  get isProgressing(): boolean {
    return this.#transport.bufferedAmount > 0 && this.flushedBytes > this.#flushedBefore;
  }

  /** Whether the peer is slow: more than `highWaterMark` waits. */
  get isSlow(): boolean {
    const { highWaterMark } = this.environment.limits;
    if (this.bufferedAmount <= highWaterMark) return false;
    // The system may accept all of it at once.
    this.flush();
    return this.bufferedAmount > highWaterMark;
  }

  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message): Promise<void> {
    const payload = typeof message === "string" ? message : toPayload(message);
    const { protocol } = this;
    if (protocol === null) return this.refuse();
    if (this.#queue !== null) return this.#queue.add(payload);
    if ((this.congested || payload.length > SMALL_SIZE) && !this.makeRoom(payload)) {
      return this.refuse();
    }
    return this.writeNow(protocol, payload);
  }

  /** See {@linkcode QueueWriter.writeNow}. */
  writeNow(protocol: Protocol, payload: string | Uint8Array): Promise<void> {
    this.#encode(protocol, payload);
    this.environment.traffic.messagesOut++;
    this.flushLarge();
    return this.ready();
  }

  /** Encodes a message. If that throws, for example a stack overflow, no part of it is sent. */
  #encode(protocol: Protocol, payload: string | Uint8Array): void {
    const output = this.output();
    const { length } = output;
    try {
      if (typeof payload === "string") protocol.writeText(output, payload);
      else protocol.writeBinary(output, payload);
    } catch (error) {
      output.length = length;
      throw error;
    }
  }

  // --- Messages in pieces -----------------------------------------------------------------------

  /** Sends a message in pieces. Later messages wait until it is complete. */
  writePieces(message: OutgoingMessage): Promise<void> {
    if (this.protocol === null) message.stop(this.closedError());
    else if (this.#queue !== null) this.#queue.addPieces(message);
    else {
      this.#queue = new OutgoingQueue(this);
      this.#queue.addPieces(message);
      void this.#queue.run(); // never rejects
    }
    return message.written;
  }

  /** See {@linkcode QueueWriter.queueEnded}. */
  queueEnded(wasLong: boolean): void {
    this.#queue = null;
    // Slow subscribers can catch up now. During a congestion, `drain` calls `drained` instead.
    if (wasLong && !this.congested) this.events.drained();
  }

  /** See `PieceWriter.append`. */
  append(write: (output: Output) => void): void {
    const output = this.output();
    const { length } = output;
    try {
      write(output);
    } catch (error) {
      output.length = length;
      throw error;
    }
    this.flushLarge();
  }

  /**
   * Sends a frame that a protocol of the same `format` has written. Does not copy it if it is large,
   * or if no other output waits.
   *
   * @returns Whether there was room. If not, the connection is closed.
   */
  writeFrame(frame: Uint8Array): boolean {
    if (this.protocol === null) return false;
    if (this.#queue !== null) return this.#queue.addFrame(frame);
    if ((this.congested || frame.length > SMALL_SIZE) && !this.makeRoom(frame)) return false;
    this.writeFrameNow(frame);
    return true;
  }

  /** See {@linkcode QueueWriter.writeFrameNow}. */
  writeFrameNow(frame: Uint8Array): void {
    this.environment.traffic.messagesOut++;
    const isLarge = this.#isLarge(frame.length);
    // In front of a large frame: copying the frame would take longer than a write of its own.
    if (isLarge) this.flush();
    if (this.#output !== null || this.#frame !== null) {
      this.output().append(frame);
      this.flushLarge();
    } else {
      this.#frame = frame;
      if (isLarge) this.flush();
      else flushSoon(this);
    }
  }

  /** Sends a ping if there is room. @throws {TypeError | RangeError} See `Protocol`. */
  writePing(payload: Uint8Array): void {
    if (this.protocol === null || (this.congested && !this.makeRoom(payload))) return;
    this.protocol.writePing(this.output(), payload);
    this.flushLarge();
  }

  /**
   * Answers a ping. "the endpoint MAY elect to send a Pong frame for only the most recently
   * processed Ping frame" (RFC 6455 §5.5.3): so pongs cannot fill the memory during congestion.
   */
  writePong(payload: Uint8Array): void {
    if (this.protocol === null) return;
    if (this.congested) {
      (this.#stall ??= new Stall()).ping = new Uint8Array(payload);
      return;
    }
    this.protocol.writePong(this.output(), payload);
    this.flushLarge();
  }

  /** Sends bytes of a handshake or of plain HTTP. */
  writeRaw(bytes: Uint8Array): void {
    this.output().append(bytes);
    this.flushLarge();
  }

  /**
   * Waits until there is room for more output: during a congestion, until it is over; after much output
   * in one turn of the event loop, until the next turn. Else resolves at once. Rejects if the connection
   * ends first.
   */
  ready(): Promise<void> {
    if (this.#stopped !== undefined) return this.refuse();
    if (!this.congested) return this.environment.turns.wait(this.environment.limits.highWaterMark);
    const stall = this.#stall ??= new Stall();
    if (stall.waiter === null) {
      stall.waiter = Promise.withResolvers<void>();
      ignorable(stall.waiter.promise);
    }
    return stall.waiter.promise;
  }

  /** Returns a rejection with the reason why nothing can be written. It may be ignored. */
  refuse(): Promise<void> {
    return ignorable(Promise.reject(this.closedError()));
  }

  /** Makes the error of a write after the close. Default cause: that of {@linkcode stop}. */
  closedError(cause: Error | null | undefined = this.#stopped): WebSocketClosedError {
    const because = cause instanceof ProtocolError ? ` (${cause.code}: ${cause.message})` : "";
    return new WebSocketClosedError(
      `Cannot write a message: the connection is closed${because}`,
      cause ? { cause } : {},
    );
  }

  /** Returns the output to write frames to. They are sent as `cork.ts` says. */
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

  /** Sends the waiting output if it is large. */
  flushLarge(): void {
    if (this.#output !== null && this.#isLarge(this.#output.size)) this.flush();
  }

  /**
   * Whether this many waiting bytes must go to the transport at once. Then it can report congestion
   * before short messages, which skip the check for room, exceed `maxBufferedAmount`.
   */
  #isLarge(size: number): boolean {
    if (size >= FLUSH_SIZE) return true;
    const { highWaterMark, maxBufferedAmount } = this.environment.limits;
    // Without congestion, at most `highWaterMark` waits in the transport.
    return size > maxBufferedAmount - highWaterMark &&
      size + this.#transport.bufferedAmount > highWaterMark;
  }

  /** See {@linkcode Flushable.flush}. */
  flush(): void {
    let { highWaterMark } = this.environment.limits;
    if (this.#output !== null) {
      const output = this.#output;
      this.#output = null;
      this.#count(output.size);
      // A payload was not copied: the caller may change it only when all of it has left.
      if (output.size > output.length) highWaterMark = 0;
      output.flush(this.#transport);
      giveOutput(output);
    } else if (this.#frame !== null) {
      const frame = this.#frame;
      this.#frame = null;
      this.#count(frame.length);
      this.#transport.write(frame, true);
    } else return;
    if (!this.congested && this.#transport.bufferedAmount > highWaterMark) {
      this.congested = true;
      this.events.congested();
    }
  }

  #count(bytes: number): void {
    this.#written += bytes;
    this.environment.traffic.bytesOut += bytes;
    this.environment.turns.add(bytes);
  }

  /** Called when the system has accepted all output. */
  drain(): void {
    if (!this.congested) return;
    this.congested = false;
    const stall = this.#stall;
    this.#stall = null;
    stall?.waiter?.resolve();
    if (stall !== null && stall.ping !== null) this.writePong(stall.ping);
    this.events.drained();
  }

  /** Called when no more messages can be written. Cuts off a message that is being sent in pieces. */
  seal(cause?: Error): void {
    this.protocol = null;
    this.#queue?.stop(this.closedError(cause));
    this.#queue = null;
  }

  /** Stops the output. Pending promises of writes reject with an error that has this `cause`. */
  stop(cause: Error | null = null): void {
    this.seal(cause ?? undefined);
    this.congested = false;
    if (this.#stopped === undefined) this.#stopped = cause;
    this.#stall?.waiter?.reject(this.closedError());
    this.#stall = null;
  }

  /**
   * Whether there is room for a payload: it fits below `maxBufferedAmount`, or at most
   * `highWaterMark` waits before it. If not, the connection is closed with 1013.
   */
  makeRoom(payload: string | Uint8Array): boolean {
    const { highWaterMark, maxBufferedAmount } = this.environment.limits;
    let waiting = this.bufferedAmount;
    if (payload.length * MAX_UTF8_BYTES <= maxBufferedAmount - waiting) return true;
    // The system may accept all of it at once.
    if (waiting > highWaterMark && !this.congested) {
      this.flush();
      waiting = this.bufferedAmount;
    }
    if (waiting <= highWaterMark || sizeOf(payload) <= maxBufferedAmount - waiting) return true;
    this.events.overflow(
      new ProtocolError(
        1013,
        `more than maxBufferedAmount (${maxBufferedAmount} bytes) would wait for the peer`,
      ),
    );
    return false;
  }
}
