/**
 * The messages that wait behind one that is sent in pieces.
 *
 * @module
 */
import { Output } from "../protocol/output.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { OutgoingMessage, PieceWriter } from "./outgoing_message.ts";

/** What a message that waits counts besides its payload, in bytes. */
const OVERHEAD = 64;

/** The part of a writer that the queue uses. */
export interface QueueWriter extends PieceWriter {
  /** Whether there is room for a payload. If not, the connection is closed with 1013. */
  makeRoom(payload: string | Uint8Array): boolean;
  /** Returns a rejection with the reason why nothing can be written. */
  refuse(): Promise<void>;
  /** Writes a message without a queue. */
  writeNow(protocol: Protocol, payload: string | Uint8Array): Promise<void>;
  /** Writes the frame of a broadcast without a queue. */
  writeFrameNow(frame: Uint8Array): void;
  /** Called when nothing waits any more. @param wasLong Whether more than `highWaterMark` has. */
  queueEnded(wasLong: boolean): void;
}

/** Something that waits. */
interface Waiting {
  /** How much memory it counts for. */
  readonly size: number;
  /** Sends it. */
  send(writer: QueueWriter): Promise<void> | void;
  /** Called if it will not be sent. */
  stop(error: Error): void;
}

/** The queue of one connection. It exists while a message is sent in pieces. */
export class OutgoingQueue {
  /** The size of what waits, in bytes. */
  size = 0;
  readonly #writer: QueueWriter;
  #waiting: Waiting[] = [];
  /** What is sent at the moment, and what was taken from the queue with it. */
  #taken: readonly Waiting[] = [];
  #isStopped = false;
  #wasLong = false;

  /** @param writer The writer. */
  constructor(writer: QueueWriter) {
    this.#writer = writer;
  }

  /** Adds a message in pieces. */
  addPieces(message: OutgoingMessage): void {
    this.#add({
      size: OVERHEAD,
      send: (writer) => message.send(writer),
      stop: (error) => message.stop(error),
    });
  }

  /** Adds a message. @returns A promise like that of `writeMessage`. @throws As that does. */
  add(payload: string | Uint8Array): Promise<void> {
    const { protocol } = this.#writer;
    if (typeof payload !== "string" && protocol?.hasBinary === false) {
      // The error of a binary message in a version that has none.
      protocol.writeBinary(new Output(), payload);
    }
    if (!this.#writer.makeRoom(payload)) return this.#writer.refuse();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // it may be ignored
    this.#add({
      size: payload.length + OVERHEAD,
      send: (writer) => {
        if (writer.protocol !== null) resolve(writer.writeNow(writer.protocol, payload));
      },
      stop: reject,
    });
    return promise;
  }

  /** Adds the frame of a broadcast. @returns Whether there was room. */
  addFrame(frame: Uint8Array): boolean {
    if (!this.#writer.makeRoom(frame)) return false;
    const size = frame.length + OVERHEAD;
    this.#add({ size, send: (writer) => writer.writeFrameNow(frame), stop: () => {} });
    return true;
  }

  #add(one: Waiting): void {
    this.size += one.size;
    if (this.size > this.#writer.environment.limits.highWaterMark) this.#wasLong = true;
    this.#waiting.push(one);
  }

  /** Sends everything. Never rejects. */
  async run(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#taken = this.#waiting;
      this.#waiting = [];
      for (const one of this.#taken) {
        this.size -= one.size;
        const sent = one.send(this.#writer);
        if (sent !== undefined) await sent;
        if (this.#isStopped) return;
      }
    }
    this.#writer.queueEnded(this.#wasLong);
  }

  /** Cuts off the message that is sent in pieces, and drops what waits behind it. */
  stop(error: Error): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.size = 0;
    for (const one of [...this.#taken, ...this.#waiting]) one.stop(error);
  }
}
