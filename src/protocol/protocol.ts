/**
 * The seam between a connection and a wire format: bytes in, events out; messages in, bytes out.
 * No clock, no promise, no runtime, no I/O.
 *
 * @module
 */
import type { Output } from "./output.ts";

/**
 * What a {@linkcode Protocol} finds in the bytes. Each method returns whether to go on: after a
 * `false`, `receive` returns at the byte behind the event.
 */
export interface Sink {
  /** A text message, complete and decoded. */
  text(message: string): boolean;
  /** A binary message, complete; the bytes belong to the receiver. */
  binary(message: Uint8Array): boolean;
  /** A ping; the bytes belong to the receiver. */
  ping(payload: Uint8Array): boolean;
  /** A pong; the bytes belong to the receiver. */
  pong(payload: Uint8Array): boolean;
  /** The peer's closing frame: its code and reason, `undefined` and `""` where it has none. */
  close(code: number | undefined, reason: string): boolean;
}

/** The limits that a protocol enforces, in bytes or pieces. */
export interface ProtocolLimits {
  /** The longest message, in bytes of payload, after inflating. */
  readonly maxMessageSize: number;
  /** The most frames that one message may come in. */
  readonly maxFragments: number;
}

/** One connection's wire format. */
export interface Protocol {
  /**
   * Names what {@linkcode Protocol.writeText} and {@linkcode Protocol.writeBinary} produce: the same
   * message written by two protocols of one format is the same bytes, so that a broadcast encodes
   * it once. `undefined` if the bytes depend on this connection's own state.
   */
  readonly format: string | undefined;
  /** Whether the version has binary messages, pings and close codes. */
  readonly hasBinary: boolean;
  /** Whether the version has a closing frame; without one, FIN ends a connection. */
  readonly hasClosingFrame: boolean;
  /**
   * Takes the next bytes, whole or in any pieces, and reports what they complete.
   *
   * @param chunk The bytes; they may be changed in place (unmasking).
   * @param given Whether the chunk's memory may be handed on to the sink inside a binary message.
   * @param sink Who is told.
   * @returns How many bytes were taken: all of them, unless the sink said stop. The rest is to be
   * given again. After a `close` event all later bytes are discarded (and counted as taken).
   * @throws {ProtocolError} If the peer broke a rule; nothing more may be received then.
   */
  receive(chunk: Uint8Array, given: boolean, sink: Sink): number;
  /** Appends a text message. A lone surrogate becomes U+FFFD. */
  writeText(output: Output, message: string): void;
  /** Appends a binary message. @throws {TypeError} If the version has none. */
  writeBinary(output: Output, message: Uint8Array): void;
  /** Appends a ping of 125 bytes at most. @throws {TypeError} If the version has none. */
  writePing(output: Output, payload: Uint8Array): void;
  /** Appends a pong. @throws {TypeError} If the version has none. */
  writePong(output: Output, payload: Uint8Array): void;
  /** Appends the closing frame, if the version has one. */
  writeClose(output: Output, code: number | undefined, reason: string): void;
  /**
   * Drops a message that has not come whole, and gives back memory that is not the engine's; nothing
   * may be called afterwards.
   */
  free?(): void;
}
