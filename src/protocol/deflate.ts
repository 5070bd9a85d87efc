/**
 * permessage-deflate (RFC 7692 §7.2): deflates and inflates the payload of messages.
 *
 * The zlib of the runtime is called synchronously: a message is complete before a call returns.
 *
 * @module
 */
import { Deflater } from "./deflater.ts";
import { Inflater, TAIL, WINDOW_SCRATCH_SIZE } from "./inflater.ts";
import { BY_REFERENCE } from "./output.ts";
import { hasSyncStreams, nodeZlib, type Zlib } from "./zlib.ts";

/** What the two ends agreed on. "Context" is RFC 7692's word for the window (§7.1.1). */
export interface DeflateParameters {
  /** Whether each message that is sent starts with an empty window. */
  readonly sendsWithoutContext: boolean;
  /** Whether each message that is received does. */
  readonly receivesWithoutContext: boolean;
  /** The size of the window for what is sent, as a power of two from 9 to 15. */
  readonly sendWindowBits: number;
  /** zlib's level, 1 to 9. */
  readonly level: number;
  /** zlib's memory level, 1 to 9. */
  readonly memLevel: number;
  /** The shortest message that is deflated, in bytes. */
  readonly threshold: number;
}

/** All of an empty message (RFC 7692 §7.2.3.6). */
const EMPTY_MESSAGE = Uint8Array.of(0x00);

/** The streams and the memory that connections share. */
class SharedStreams {
  readonly zlib: Zlib;
  /** Memory for output. A message that fits is too short to go by reference: it is copied. */
  readonly scratch: Uint8Array = new Uint8Array(BY_REFERENCE - 1);
  /** Memory for starting zlib again after a last block. */
  readonly windowScratch: Uint8Array = new Uint8Array(WINDOW_SCRATCH_SIZE);
  #inflater: Inflater | null = null;
  readonly #deflaters = new Map<string, Deflater>();

  constructor(zlib: Zlib) {
    this.zlib = zlib;
  }

  /** The inflater of all connections that keep no window. */
  get inflater(): Inflater {
    return this.#inflater ??= new Inflater({ ...this, keepsWindow: false });
  }

  /** The deflater of all connections that keep no window and have these options. */
  deflater(options: { level: number; memLevel: number; windowBits: number }): Deflater {
    const key = `${options.level} ${options.memLevel} ${options.windowBits}`;
    let deflater = this.#deflaters.get(key);
    if (deflater === undefined) {
      deflater = new Deflater({ ...this, options, keepsWindow: false });
      this.#deflaters.set(key, deflater);
    }
    return deflater;
  }
}

/**
 * Module state: made at the first use, `null` if this runtime cannot compress. A connection that keeps
 * no window uses these streams instead of its own, which would hold 300 KiB and take 8 µs on Bun, 14 on
 * Deno and 30 on Node to make. A call of {@linkcode Deflate} for such a connection starts with an empty
 * window, and none calls anything of others but zlib.
 */
let shared: SharedStreams | null | undefined;

function sharedStreams(): SharedStreams | null {
  if (shared !== undefined) return shared;
  const zlib = nodeZlib();
  shared = zlib !== undefined && hasSyncStreams(zlib) ? new SharedStreams(zlib) : null;
  return shared;
}

/** Whether this runtime can compress messages. */
export function canCompress(): boolean {
  return sharedStreams() !== null;
}

/** Both directions of one connection. */
export class Deflate {
  /** The shortest message that is deflated, in bytes. */
  readonly threshold: number;
  /** Names what {@linkcode deflate} makes of a message; `undefined` if it depends on those before. */
  readonly format: string | undefined;
  readonly #deflater: Deflater;
  readonly #inflater: Inflater;

  /**
   * @param parameters What was agreed on.
   * @param shared What connections share.
   * @throws {TypeError} If {@linkcode canCompress} is false.
   */
  constructor(parameters: DeflateParameters, shared: SharedStreams | null = sharedStreams()) {
    if (shared === null) throw new TypeError("Cannot compress: node:zlib is not available");
    const { level, memLevel, sendWindowBits, threshold } = parameters;
    const { sendsWithoutContext, receivesWithoutContext } = parameters;
    const options = { level, memLevel, windowBits: sendWindowBits };
    this.threshold = threshold;
    this.#deflater = sendsWithoutContext
      ? shared.deflater(options)
      : new Deflater({ ...shared, options, keepsWindow: true });
    this.#inflater = receivesWithoutContext
      ? shared.inflater
      : new Inflater({ ...shared, keepsWindow: true });
    this.format = sendsWithoutContext
      ? `hybi-deflate-${level}-${memLevel}-${sendWindowBits}-${threshold}`
      : undefined;
  }

  /**
   * Deflates a message.
   *
   * @returns The message without its tail. A message that is too short to go by reference is only
   * valid until the next one is deflated.
   */
  deflate(payload: Uint8Array): Uint8Array {
    if (payload.length === 0) return EMPTY_MESSAGE;
    const deflated = this.#deflater.deflate(payload);
    return deflated.subarray(0, deflated.length - TAIL.length);
  }

  /**
   * Inflates a message.
   *
   * @param payload The message without its tail.
   * @param maxMessageSize The most bytes that it may inflate to.
   * @throws {ProtocolError} 1007 if it is not DEFLATE, 1009 as soon as it is too long.
   */
  inflate(payload: Uint8Array, maxMessageSize: number): Uint8Array {
    return this.#inflater.inflate(payload, maxMessageSize);
  }

  /** Frees zlib's memory. */
  free(): void {
    this.#deflater.free();
    this.#inflater.free();
  }
}
