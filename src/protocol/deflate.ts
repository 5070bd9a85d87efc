/**
 * permessage-deflate (RFC 7692 §7.2): the payload of a message, deflated and inflated.
 *
 * zlib is the runtime's own and works synchronously: a frame is written, and a message is there,
 * before the call returns.
 *
 * @module
 */
import { type Deflater, makeDeflater } from "./deflater.ts";
import { type Inflater, makeInflater, TAIL } from "./inflater.ts";

/** What the two ends agreed on; what they keep is "context" in RFC 7692 §7.1.1. */
export interface DeflateParameters {
  /** Whether each message that is sent starts with an empty window. */
  readonly sendsWithoutContext: boolean;
  /** Whether each message that is received does. */
  readonly receivesWithoutContext: boolean;
  /** The window of what is sent, a power of two from 9 to 15. */
  readonly sendWindowBits: number;
  /** zlib's level, 1 to 9. */
  readonly level: number;
  /** zlib's memory level, 1 to 9. */
  readonly memLevel: number;
  /** The shortest message that is deflated, in bytes. */
  readonly threshold: number;
}

/** The whole of an empty message (RFC 7692 §7.2.3.6). */
const EMPTY_MESSAGE = Uint8Array.of(0x00);

/** Both directions of one connection. */
export class Deflate {
  /** The shortest message that is deflated, in bytes. */
  readonly threshold: number;
  /** Names what {@linkcode deflate} makes of a message; `undefined` if it depends on those before. */
  readonly format: string | undefined;
  readonly #deflater: Deflater;
  readonly #inflater: Inflater;

  /** @param parameters What was agreed on. */
  constructor(parameters: DeflateParameters) {
    this.threshold = parameters.threshold;
    this.#deflater = makeDeflater(parameters);
    this.#inflater = makeInflater(!parameters.receivesWithoutContext);
    const { level, memLevel, sendWindowBits, threshold } = parameters;
    this.format = parameters.sendsWithoutContext
      ? `hybi-deflate-${level}-${memLevel}-${sendWindowBits}-${threshold}`
      : undefined;
  }

  /**
   * Deflates a message.
   *
   * @returns The message without the tail; what is too short to go by reference is only valid until
   * the next one is deflated.
   */
  deflate(payload: Uint8Array): Uint8Array {
    if (payload.length === 0) return EMPTY_MESSAGE;
    const deflated = this.#deflater.deflate(payload);
    return deflated.subarray(0, deflated.length - TAIL.length);
  }

  /**
   * Inflates a message.
   *
   * @param payload The message without the tail.
   * @param maxMessageSize The most bytes that may come of it.
   * @throws {ProtocolError} 1007 if it is no DEFLATE, 1009 as soon as it is too long.
   */
  inflate(payload: Uint8Array, maxMessageSize: number): Uint8Array {
    return this.#inflater.inflate(payload, maxMessageSize);
  }

  /** Gives back zlib's memory. */
  free(): void {
    this.#deflater.free?.();
    this.#inflater.free?.();
  }
}
