/**
 * The format of messages between processes: a header, the topic and the payload.
 *
 * ```text
 * 0   "WSP", version  1, or 2 with a sequence number
 * 4   sender          8 random bytes of an application
 * 12  kind            0 text, 1 binary, 2 a control message in text, which no subscriber gets
 * 13  topic length    2 bytes, big-endian, of UTF-8
 * 15  payload length  4 bytes, big-endian
 * 19  sequence        version 2 only: 4 bytes, big-endian: which message of the sender
 * 19  topic, payload  version 2: at 23
 * ```
 *
 * @module
 */

const MAGIC = Uint8Array.of(0x57, 0x53, 0x50);
const VERSION = 3;
const SENDER = 4;
const KIND = 12;
const TOPIC_LENGTH = 13;
const PAYLOAD_LENGTH = 15;
const SEQUENCE = 19;
/** The length of the header by version. */
const HEADER_LENGTHS: Readonly<Partial<Record<number, number>>> = { 1: 19, 2: 23 };
const TEXT = 0;
const BINARY = 1;
const CONTROL = 2;

/** The length of a sender, in bytes. */
export const SENDER_LENGTH = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Encodes a message.
 *
 * @param sequence A number below 2^32, so that the sender knows the message again. Default: none, which
 * makes version 1.
 */
export function seal(
  sender: Uint8Array,
  topic: string,
  payload: string | Uint8Array,
  sequence?: number,
): Uint8Array {
  return write(sender, topic, payload, typeof payload === "string" ? TEXT : BINARY, sequence);
}

/** Encodes a message for the applications of other processes. */
export function sealControl(sender: Uint8Array, topic: string, text: string): Uint8Array {
  return write(sender, topic, text, CONTROL);
}

/** On the hot path, so it has more than two parameters. */
function write(
  sender: Uint8Array,
  topic: string,
  payload: string | Uint8Array,
  kind: number,
  sequence?: number,
): Uint8Array {
  const topicBytes = encoder.encode(topic);
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  const headerLength = sequence === undefined ? SEQUENCE : SEQUENCE + 4;
  const sealed = new Uint8Array(headerLength + topicBytes.length + bytes.length);
  const view = new DataView(sealed.buffer);
  sealed.set(MAGIC);
  sealed[VERSION] = sequence === undefined ? 1 : 2;
  sealed.set(sender, SENDER);
  sealed[KIND] = kind;
  view.setUint16(TOPIC_LENGTH, topicBytes.length);
  view.setUint32(PAYLOAD_LENGTH, bytes.length);
  if (sequence !== undefined) view.setUint32(SEQUENCE, sequence);
  sealed.set(topicBytes, headerLength);
  sealed.set(bytes, headerLength + topicBytes.length);
  return sealed;
}

/** A received message. Topic and payload are decoded on access. */
export class Envelope {
  readonly #bytes: Uint8Array;
  readonly #topicAt: number;
  readonly #payloadAt: number;

  private constructor(bytes: Uint8Array, topicAt: number, payloadAt: number) {
    this.#bytes = bytes;
    this.#topicAt = topicAt;
    this.#payloadAt = payloadAt;
  }

  /** Checks the header of a received message; `undefined` if the format is unknown. */
  static open(data: unknown): Envelope | undefined {
    if (!(data instanceof Uint8Array) || data.length <= VERSION) return undefined;
    if (MAGIC.some((byte, index) => data[index] !== byte)) return undefined;
    const headerLength = HEADER_LENGTHS[data[VERSION] ?? 0];
    if (headerLength === undefined || data.length < headerLength) return undefined;
    if (![TEXT, BINARY, CONTROL].includes(data[KIND] ?? -1)) return undefined;
    const view = new DataView(data.buffer, data.byteOffset, headerLength);
    const payloadAt = headerLength + view.getUint16(TOPIC_LENGTH);
    if (payloadAt + view.getUint32(PAYLOAD_LENGTH) !== data.length) return undefined;
    return new Envelope(data, headerLength, payloadAt);
  }

  /** Whether a sender has sent it. */
  isFrom(sender: Uint8Array): boolean {
    return sender.every((byte, index) => this.#bytes[SENDER + index] === byte);
  }

  /** Whether it is for the application, and not for its subscribers. */
  get isControl(): boolean {
    return this.#bytes[KIND] === CONTROL;
  }

  /** The sequence number of the sender; `undefined` in version 1. */
  get sequence(): number | undefined {
    if (this.#topicAt === SEQUENCE) return undefined;
    const { buffer, byteOffset } = this.#bytes;
    return new DataView(buffer, byteOffset).getUint32(SEQUENCE);
  }

  /** The topic; `undefined` if it is not UTF-8. */
  get topic(): string | undefined {
    return decode(this.#bytes.subarray(this.#topicAt, this.#payloadAt));
  }

  /** The payload of a message for subscribers; `undefined` if it is not one, or is damaged. */
  get message(): string | Uint8Array | undefined {
    return this.isControl ? undefined : this.payload;
  }

  /** The payload; `undefined` if it is text and not UTF-8. */
  get payload(): string | Uint8Array | undefined {
    const bytes = this.#bytes.subarray(this.#payloadAt);
    return this.#bytes[KIND] === BINARY ? bytes : decode(bytes);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    // The caller counts it as invalid.
    return undefined;
  }
}
