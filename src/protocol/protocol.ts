/**
 * What a connection and a wire format know of each other: bytes in, events out; messages in, bytes
 * out. No clock, no promise, no runtime, no I/O.
 *
 * @module
 */
import type { Output } from "./output.ts";

/**
 * Who is told what a {@linkcode Protocol} finds in the bytes. Each method returns whether to go on:
 * after `false`, `receive` returns the offset of the byte behind the event.
 */
export interface Sink {
  /** A text message, complete and decoded. */
  text(message: string): boolean;
  /** A binary message, complete. The bytes belong to the sink. */
  binary(message: Uint8Array): boolean;
  /** A ping. The bytes belong to the sink. */
  ping(payload: Uint8Array): boolean;
  /** A pong. The bytes belong to the sink. */
  pong(payload: Uint8Array): boolean;
  /** The peer's close frame. Without a code, `code` is `undefined` and `reason` is `""`. */
  close(code: number | undefined, reason: string): boolean;
}

/** The limits that a protocol enforces. */
export interface ProtocolLimits {
  /** The longest message, in bytes of payload, after inflating. */
  readonly maxMessageSize: number;
  /** The most frames of one message. */
  readonly maxFragments: number;
}

/** The wire format of one connection. */
export interface Protocol {
  /**
   * Names the bytes that {@linkcode Protocol.writeText} and {@linkcode Protocol.writeBinary} make of
   * a message. Protocols with the same `format` make the same bytes, so a broadcast encodes a
   * message once for all of them. `undefined` if the bytes depend on the connection.
   */
  readonly format: string | undefined;
  /** Whether the version has binary messages, pings and close codes. */
  readonly hasBinary: boolean;
  /** Whether the version has a close frame. Without one, the end of TCP ends a connection. */
  readonly hasCloseFrame: boolean;
  /**
   * Receives the next bytes, in pieces of any size, and reports what they complete.
   *
   * @param chunk The bytes. They may be changed in place (unmasking).
   * @param owned Whether the chunk's memory may be handed on to the sink as a binary message.
   * @param sink Who is told.
   * @returns How many bytes were received: all of them, unless the sink returned `false`. The others
   * must be passed again. After a close frame, later bytes are discarded and count as received.
   * @throws {ProtocolError} If the peer broke a rule. Nothing more may be received then.
   */
  receive(chunk: Uint8Array, owned: boolean, sink: Sink): number;
  /** Appends a text message. A lone surrogate becomes U+FFFD. */
  writeText(output: Output, message: string): void;
  /** Appends a binary message. @throws {TypeError} If the version has none. */
  writeBinary(output: Output, message: Uint8Array): void;
  /** Appends a ping with at most 125 bytes. @throws {TypeError} If the version has none. */
  writePing(output: Output, payload: Uint8Array): void;
  /** Appends a pong with at most 125 bytes. @throws {TypeError} If the version has none. */
  writePong(output: Output, payload: Uint8Array): void;
  /** Appends the close frame, if the version has one. */
  writeClose(output: Output, code: number | undefined, reason: string): void;
  /**
   * Drops a message that has not arrived whole, and frees memory that the engine's garbage collector
   * does not. Must be the last call.
   */
  free?(): void;
}
