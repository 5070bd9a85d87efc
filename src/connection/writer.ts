/**
 * The writing half of a connection: messages → frames → one write per chunk or microtask queue.
 *
 * @module
 */
import { ProtocolError, WebSocketClosedError } from "../errors.ts";
import type { Output } from "../protocol/output.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { Turns } from "../timing/turns.ts";
import type { Transport } from "../transport/transport.ts";
import { type Flushable, flushSoon, giveOutput, takeOutput } from "./cork.ts";
import { type Message, sizeOf, toPayload } from "./message.ts";
import type { Traffic } from "./traffic.ts";

/** Output beyond this goes to the transport at once, whatever is still being processed. */
const FLUSH_SIZE = 64 * 1024;

/** Up to this length there is room for a message if there was for the last: FLUSH_SIZE is near. */
const SMALL_SIZE = 4 * 1024;

/** The most bytes that a UTF-16 unit takes in UTF-8. */
const MOST_BYTES = 3;

/** A promise that is safe to ignore: nobody is punished for not listening to a dead peer. */
export function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** How much output may wait, in bytes. */
export interface WriterLimits {
  /** Beyond it, writers wait. */
  readonly highWaterMark: number;
  /** Beyond it, the connection ends. */
  readonly maxBufferedAmount: number;
}

/** Who hears of what output does. */
export interface WriterEvents {
  /** More output would wait than may. */
  overflow(error: ProtocolError): void;
  /** More than the high-water mark waits. */
  congested(): void;
  /** The system has taken what waited. */
  drained(): void;
}

/** What many writers share. */
export interface WriterEnvironment {
  /** The limits in force. */
  readonly limits: WriterLimits;
  /** What is counted. */
  readonly traffic: Traffic;
  /** Turns of the event loop. */
  readonly turns: Turns;
}

/** The output of one connection, at either end. */
export class Writer implements Flushable {
  /** Whether more than the high-water mark waits in the transport. */
  congested = false;
  /** Who hears of what happens. */
  events: WriterEvents;
  /** The wire format while messages pass; else `null`. */
  protocol: Protocol | null = null;
  /** What it shares with others. */
  environment: WriterEnvironment;
  readonly #transport: Transport;
  #output: Output | null = null;
  /** A broadcast's frame that waits alone: shared by its receivers, so it goes by reference. */
  #frame: Uint8Array | null = null;
  #waiter: PromiseWithResolvers<void> | null = null;
  /** Bytes that the transport was given, ever. */
  #given = 0;
  /** What the system had taken of them when progress was watched from. */
  #takenBefore = 0;
  /** The payload of the last ping that waiting output kept from being answered. */
  #unanswered: Uint8Array | null = null;
  /** Why nothing more can be written. */
  #stopped: Error | null = null;

  /**
   * @param transport The runtime's connection.
   * @param environment What it shares with others.
   * @param events Who hears of what happens.
   */
  constructor(transport: Transport, environment: WriterEnvironment, events: WriterEvents) {
    this.#transport = transport;
    this.environment = environment;
    this.events = events;
  }

  /** Bytes that are written and not yet taken by the system. */
  get bufferedAmount(): number {
    let amount = this.#transport.bufferedAmount;
    if (this.#output !== null) amount += this.#output.size;
    if (this.#frame !== null) amount += this.#frame.length;
    return amount;
  }

  /** Bytes that the system has taken, ever: while they grow, the peer is there. */
  get flushedBytes(): number {
    return this.#given - this.#transport.bufferedAmount;
  }

  /** From now on, {@linkcode isProgressing} tells what has happened since. */
  watchProgress(): void {
    this.#takenBefore = this.flushedBytes;
  }

  /** Whether output waits, and the peer has taken some since {@linkcode watchProgress}. */
  get isProgressing(): boolean {
    return this.#transport.bufferedAmount > 0 && this.flushedBytes > this.#takenBefore;
  }

  /** Whether the peer is slow: more than the high-water mark waits. */
  get isSlow(): boolean {
    const { highWaterMark } = this.environment.limits;
    if (this.bufferedAmount <= highWaterMark) return false;
    // What the system takes at once does not wait.
    this.flush();
    return this.bufferedAmount > highWaterMark;
  }

  /** See `WebSocketHandler.writeMessage`. */
  writeMessage(message: Message): Promise<void> {
    const payload = typeof message === "string" ? message : toPayload(message);
    const { protocol } = this;
    if (protocol === null) return this.refuse();
    if ((this.congested || payload.length > SMALL_SIZE) && !this.makeRoom(payload)) {
      return this.refuse();
    }
    this.#encode(protocol, payload);
    this.environment.traffic.messagesOut++;
    this.flushLarge();
    return this.ready();
  }

  /** Encodes a message whole or, where it fails (a stack that is used up), not at all. */
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

  /**
   * Sends a frame that a protocol of the same `format` has written, by reference if nothing else
   * waits.
   *
   * @returns Whether there was room; if not, the connection ends.
   */
  writeFrame(frame: Uint8Array): boolean {
    if (this.protocol === null) return false;
    if ((this.congested || frame.length > SMALL_SIZE) && !this.makeRoom(frame)) return false;
    this.environment.traffic.messagesOut++;
    if (this.#output !== null || this.#frame !== null) {
      this.output().append(frame);
      this.flushLarge();
    } else {
      this.#frame = frame;
      flushSoon(this);
    }
    return true;
  }

  /** Writes a ping if there is room for it. @throws {TypeError | RangeError} See `Protocol`. */
  writePing(payload: Uint8Array): void {
    if (this.protocol === null || (this.congested && !this.makeRoom(payload))) return;
    this.protocol.writePing(this.output(), payload);
    this.flushLarge();
  }

  /**
   * Answers a ping. "the endpoint MAY elect to send a Pong frame for only the most recently
   * processed Ping frame" (RFC 6455 §5.5.3): while output waits, pongs can't fill the memory.
   */
  writePong(payload: Uint8Array): void {
    if (this.protocol === null) return;
    if (this.congested) {
      this.#unanswered = payload.slice();
      return;
    }
    this.protocol.writePong(this.output(), payload);
    this.flushLarge();
  }

  /** Writes bytes that are no frame: of the handshake, of plain HTTP. */
  writeRaw(bytes: Uint8Array): void {
    this.output().append(bytes);
    this.flushLarge();
  }

  /**
   * When to write more: at once, at the next turn of the event loop where much was written in this
   * one, or when the peer has taken enough. Rejects if the connection ends before.
   */
  ready(): Promise<void> {
    if (this.#stopped !== null) return this.refuse();
    if (!this.congested) return this.environment.turns.wait(this.environment.limits.highWaterMark);
    if (this.#waiter === null) {
      this.#waiter = Promise.withResolvers<void>();
      ignorable(this.#waiter.promise);
    }
    return this.#waiter.promise;
  }

  /** A rejection that says why nothing can be written; it is safe to ignore. */
  refuse(): Promise<void> {
    return ignorable(Promise.reject(this.#closedError()));
  }

  #closedError(): WebSocketClosedError {
    const cause = this.#stopped;
    const because = cause instanceof ProtocolError ? ` (${cause.code}: ${cause.message})` : "";
    return new WebSocketClosedError(
      `Cannot write a message: the connection is closed${because}`,
      cause === null || cause instanceof WebSocketClosedError ? {} : { cause },
    );
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

  /** Sends what waits if it is much. */
  flushLarge(): void {
    if (this.#output !== null && this.#output.size >= FLUSH_SIZE) this.flush();
  }

  /** See {@linkcode Flushable.flush}. */
  flush(): void {
    let { highWaterMark } = this.environment.limits;
    if (this.#output !== null) {
      const output = this.#output;
      this.#output = null;
      this.#count(output.size);
      // A payload that went by reference is the caller's again only when all of it is gone.
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
    this.#given += bytes;
    this.environment.traffic.bytesOut += bytes;
    this.environment.turns.add(bytes);
  }

  /** The transport has no output left. */
  drain(): void {
    if (!this.congested) return;
    this.congested = false;
    this.#waiter?.resolve();
    this.#waiter = null;
    const payload = this.#unanswered;
    this.#unanswered = null;
    if (payload !== null) this.writePong(payload);
    this.events.drained();
  }

  /** Nothing more can be written: who waits hears of it, and why. */
  stop(cause: Error): void {
    this.protocol = null;
    this.congested = false;
    this.#unanswered = null;
    this.#stopped ??= cause;
    this.#waiter?.reject(this.#closedError());
    this.#waiter = null;
  }

  /**
   * Whether there is room for one more: it fits below `maxBufferedAmount`, or no more than the
   * high-water mark waits before it. If not, the connection ends with 1013.
   */
  makeRoom(payload: string | Uint8Array): boolean {
    const { highWaterMark, maxBufferedAmount } = this.environment.limits;
    let waiting = this.bufferedAmount;
    if (payload.length * MOST_BYTES <= maxBufferedAmount - waiting) return true;
    // What the system takes at once does not wait.
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
