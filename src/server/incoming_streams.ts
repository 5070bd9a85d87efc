/**
 * Passes messages to a handler as streams, one at a time.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { ConnectionEnd } from "../connection/connection_end.ts";
import {
  IncomingStream,
  type IncomingStreamEvents,
  IncompleteMessageError,
} from "../connection/message_stream.ts";
import type { MessageKind, PieceSink } from "../protocol/protocol.ts";

/** The part of a dispatcher that the streams use. */
export interface StreamDelivery {
  /** The connection. */
  readonly connection: Connection;
  /** Delivers a stream, or queues it until the handler is free. */
  streamArrived(stream: IncomingStream): void;
  /** Called when the handler has read a piece, so there may be room for more. */
  pieceTaken(): void;
  /** Called when a message is complete. */
  streamArrivedWhole(): void;
  /** Called when the handler is done with the stream. */
  streamDone(): void;
}

/** The messages of one connection whose handler defines `onMessageStream`. */
export class IncomingStreams implements PieceSink, IncomingStreamEvents {
  /** The size of all pieces that wait, in bytes. */
  waiting = 0;
  /** The stream that the handler is reading; `null` if there is none. */
  #current: IncomingStream | null = null;
  /** The message that is arriving. The handler may have cancelled its stream already. */
  #arriving: IncomingStream | null = null;
  readonly #delivery: StreamDelivery;

  /** @param delivery The dispatcher. */
  constructor(delivery: StreamDelivery) {
    this.#delivery = delivery;
  }

  /**
   * Whether the handler is reading an incomplete message. Then parsing must not wait for the handler,
   * which itself waits for the rest of the message.
   */
  get isFeeding(): boolean {
    return this.#arriving !== null && this.#arriving === this.#current;
  }

  // --- Events of the protocol -------------------------------------------------------------------

  /** See {@linkcode PieceSink.begin}. */
  begin(kind: MessageKind): void {
    const stream = this.#arriving = new IncomingStream(kind, this);
    this.#delivery.streamArrived(stream);
  }

  /** See {@linkcode PieceSink.piece}. */
  piece(part: string | Uint8Array): boolean {
    this.#arriving?.push(part);
    this.#delivery.connection.countMessage(0);
    return this.#mayParse;
  }

  /** See {@linkcode PieceSink.finish}. */
  finish(): boolean {
    // If the rate limit refuses the client, leave the message incomplete. It is cut off then.
    if (!this.#delivery.connection.reader.admitMessage()) return false;
    const stream = this.#arriving;
    this.#arriving = null;
    this.#delivery.connection.countMessage();
    stream?.finish();
    this.#delivery.streamArrivedWhole();
    return this.#mayParse;
  }

  get #mayParse(): boolean {
    return this.#delivery.connection.reader.mayParse;
  }

  // --- The handler ------------------------------------------------------------------------------

  /** Makes the stream of a message that arrived whole. */
  whole(message: string | Uint8Array): IncomingStream {
    return IncomingStream.whole(message, this);
  }

  /** Called before the handler gets a stream. */
  deliver(stream: IncomingStream): void {
    this.#current = stream;
  }

  /** See {@linkcode IncomingStreamEvents.resized}. */
  resized(difference: number): void {
    this.waiting += difference;
  }

  /** See {@linkcode IncomingStreamEvents.taken}. */
  taken(): void {
    this.#delivery.pieceTaken();
  }

  /** See {@linkcode IncomingStreamEvents.done}. In a microtask: the handler may be in its callback. */
  done(stream: IncomingStream): void {
    queueMicrotask(() => {
      if (this.#current === stream) this.#current = null;
      this.#delivery.streamDone();
    });
  }

  /** Called when the connection has ended. Cuts off an incomplete message. */
  cut(end: ConnectionEnd): void {
    this.#arriving?.fail(new IncompleteMessageError(end));
    this.#arriving = null;
  }
}
