/**
 * The messages that wait while another message is sent in pieces.
 *
 * @module
 */
import { keepable } from "../protocol/message_memory.ts";
import { Output } from "../protocol/output.ts";
import type { Protocol } from "../protocol/protocol.ts";
import type { OutgoingMessage, PieceWriter } from "./outgoing_message.ts";

/** The size of a waiting message without its payload, in bytes. */
const OVERHEAD = 64;

/** The part of a writer that the queue uses. */
export interface QueueWriter extends PieceWriter {
  /** Whether there is room for a payload. If not, the connection is closed with 1013. */
  makeRoom(payload: string | Uint8Array): boolean;
  /** Returns a rejection with the reason why nothing can be written. */
  refuse(): Promise<void>;
  /** Writes a message, bypassing the queue. */
  writeNow(protocol: Protocol, payload: string | Uint8Array): Promise<void>;
  /** Writes the frame of a broadcast, bypassing the queue. */
  writeFrameNow(frame: Uint8Array): void;
  /** Called when the queue is empty. @param wasLong Whether it had more than `highWaterMark` bytes. */
  queueEnded(wasLong: boolean): void;
}

/** A message or frame that waits. */
interface Waiting {
  /** Its size including the overhead, in bytes. */
  readonly size: number;
  /** Sends it. */
  send(writer: QueueWriter): Promise<void> | void;
  /** Called if it will not be sent. */
  stop(error: Error): void;
}

/** The queue of one connection. It exists while a message is sent in pieces. */
export class OutgoingQueue {
  /** The size of all waiting messages, in bytes. */
  size = 0;
  readonly #writer: QueueWriter;
  #waiting: Waiting[] = [];
  /** The batch that is being sent. */
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

  /** Adds a message. Returns and throws like `writeMessage`. */
  add(payload: string | Uint8Array): Promise<void> {
    const { protocol } = this.#writer;
    if (typeof payload !== "string" && protocol?.hasBinary === false) {
      // This throws: the version has no binary messages.
      protocol.writeBinary(new Output(), payload);
    }
    if (!this.#writer.makeRoom(payload)) return this.#writer.refuse();
    const kept = typeof payload === "string" ? payload : keepable(payload);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {}); // it may be ignored
    this.#add({
      size: payload.length + OVERHEAD,
      send: (writer) => {
        if (writer.protocol !== null) resolve(writer.writeNow(writer.protocol, kept));
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

  /** Cuts off the message that is being sent, and drops the waiting ones. */
  stop(error: Error): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.size = 0;
    for (const one of [...this.#taken, ...this.#waiting]) one.stop(error);
  }
}
