/**
 * The interface between a connection and a wire format. A wire format turns received bytes into events,
 * and messages into bytes to send. It has no clock, no promises and no I/O.
 *
 * @module
 */
import type { MessageMemory } from "./message_memory.ts";
import type { Output } from "./output.ts";

/**
 * The receiver of the events of a {@linkcode Protocol}. Each method returns whether to go on. After
 * `false`, `receive` returns the offset of the byte after the event.
 */
export interface Sink {
  /** A complete text message. */
  text(message: string): boolean;
  /** A complete binary message. The bytes belong to the sink, or are lent by its `memory`. */
  binary(message: Uint8Array): boolean;
  /** A ping. The bytes belong to the sink. */
  ping(payload: Uint8Array): boolean;
  /** A pong. The bytes belong to the sink. */
  pong(payload: Uint8Array): boolean;
  /** The peer's close frame. Without a code, `code` is `undefined` and `reason` is `""`. */
  close(code: number | undefined, reason: string): boolean;
  /**
   * Receives messages in pieces while they arrive. Default: each message is reported when it is
   * complete. A message that is complete in one chunk may be reported as a whole even if this is set.
   */
  readonly pieces?: PieceSink | undefined;
  /**
   * The memory of whole binary messages. The sink gives it back. Default: each has memory of its own.
   */
  readonly memory?: MessageMemory | undefined;
}

/** Whether a message is text or binary. */
export type MessageKind = "text" | "binary";

/** The receiver of messages in pieces. Control frames between them go to the {@linkcode Sink}. */
export interface PieceSink {
  /** A message begins. */
  begin(kind: MessageKind): void;
  /**
   * The next part of the message, which is not empty: a string of whole characters for text, or bytes
   * that belong to the sink. Returns whether to go on, as the methods of {@linkcode Sink} do.
   */
  piece(part: string | Uint8Array): boolean;
  /** The message is complete. Returns whether to go on. */
  finish(): boolean;
}

/** The limits that a protocol enforces. */
export interface ProtocolLimits {
  /** The largest message in bytes, decompressed. */
  readonly maxMessageSize: number;
  /** The most frames in a message. */
  readonly maxFragments: number;
  /** The largest payload of a frame of a message, in bytes. Default: no limit. */
  readonly maxFragmentSize?: number;
}

/** A message that is written in pieces: strings for text, bytes for binary. */
export interface OutgoingPieces {
  /** Appends a piece. A surrogate pair must not be divided between two pieces. */
  write(output: Output, piece: string | Uint8Array): void;
  /** Appends the end of the message. Must be the last call. */
  finish(output: Output): void;
  /** Frees memory that the garbage collector does not free. Call after the end, or to drop the message. */
  free(): void;
}

/** The wire format of one connection. */
export interface Protocol {
  /**
   * A name for the bytes that {@linkcode Protocol.writeText} and {@linkcode Protocol.writeBinary}
   * write. Protocols with the same `format` write the same bytes for a message, so a broadcast encodes
   * it once for all of them. `undefined` if the bytes depend on the connection.
   */
  readonly format: string | undefined;
  /** Whether the version has binary messages, pings and close codes. */
  readonly hasBinary: boolean;
  /**
   * Whether a close frame can be written. It cannot in draft75, and not while draft76 writes a text in
   * pieces. Then the connection ends with FIN.
   */
  readonly hasCloseFrame: boolean;
  /** Whether the version has a close frame, so that a FIN without one is no regular end. */
  readonly expectsCloseFrame: boolean;
  /**
   * Receives the next bytes, in pieces of any size, and reports complete events.
   *
   * @param chunk The bytes. They may be changed (unmasked) in place.
   * @param owned Whether the sink may get a part of the chunk as a binary message.
   * @param sink The receiver of the events.
   * @returns How many bytes were received: all, unless the sink returned `false`. Pass the remaining
   * ones again. Bytes after a close frame are discarded and count as received.
   * @throws {ProtocolError} If the peer broke a rule. Nothing more may be received then.
   */
  receive(chunk: Uint8Array, owned: boolean, sink: Sink): number;
  /** Appends a text message. A lone surrogate becomes U+FFFD. */
  writeText(output: Output, message: string): void;
  /** Appends a binary message. @throws {TypeError} If the version has none. */
  writeBinary(output: Output, message: Uint8Array): void;
  /**
   * Begins a message in pieces. Until its end, only pings, pongs and the close frame may be written.
   *
   * @throws {TypeError} If the message is binary, and the version has none.
   */
  beginPieces(kind: MessageKind): OutgoingPieces;
  /** Appends a ping with at most 125 bytes. @throws {TypeError} If the version has none. */
  writePing(output: Output, payload: Uint8Array): void;
  /** Appends a pong with at most 125 bytes. @throws {TypeError} If the version has none. */
  writePong(output: Output, payload: Uint8Array): void;
  /** Appends the close frame, if the version has one. */
  writeClose(output: Output, code: number | undefined, reason: string): void;
  /**
   * Drops an incomplete message, and frees memory that the garbage collector does not free. Must be the
   * last call.
   */
  free?(): void;
}
