/**
 * The format of messages between processes: a header, the topic and the payload.
 *
 * ```text
 * 0   "WSP" 01        format and version
 * 4   sender          8 random bytes of an application
 * 12  kind            0 text, 1 binary, 2 a control message in text, which no subscriber gets
 * 13  topic length    2 bytes, big-endian, of UTF-8
 * 15  payload length  4 bytes, big-endian
 * 19  topic, payload
 * ```
 *
 * @module
 */

const MAGIC = Uint8Array.of(0x57, 0x53, 0x50, 0x01);
const SENDER = 4;
const KIND = 12;
const TOPIC_LENGTH = 13;
const PAYLOAD_LENGTH = 15;
const HEADER_LENGTH = 19;
const TEXT = 0;
const BINARY = 1;
const CONTROL = 2;

/** The length of a sender, in bytes. */
export const SENDER_LENGTH = 8;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Encodes a message. */
export function seal(sender: Uint8Array, topic: string, payload: string | Uint8Array): Uint8Array {
  return write(sender, topic, { kind: typeof payload === "string" ? TEXT : BINARY, payload });
}

/** Encodes a message for the applications of other processes. */
export function sealControl(sender: Uint8Array, topic: string, text: string): Uint8Array {
  return write(sender, topic, { kind: CONTROL, payload: text });
}

function write(
  sender: Uint8Array,
  topic: string,
  { kind, payload }: { readonly kind: number; readonly payload: string | Uint8Array },
): Uint8Array {
  const topicBytes = encoder.encode(topic);
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  const sealed = new Uint8Array(HEADER_LENGTH + topicBytes.length + bytes.length);
  const view = new DataView(sealed.buffer);
  sealed.set(MAGIC);
  sealed.set(sender, SENDER);
  sealed[KIND] = kind;
  view.setUint16(TOPIC_LENGTH, topicBytes.length);
  view.setUint32(PAYLOAD_LENGTH, bytes.length);
  sealed.set(topicBytes, HEADER_LENGTH);
  sealed.set(bytes, HEADER_LENGTH + topicBytes.length);
  return sealed;
}

/** A received message. Topic and payload are decoded on access. */
export class Envelope {
  readonly #bytes: Uint8Array;
  readonly #payloadAt: number;

  private constructor(bytes: Uint8Array, payloadAt: number) {
    this.#bytes = bytes;
    this.#payloadAt = payloadAt;
  }

  /** Checks the header of a received message; `undefined` if the format is unknown. */
  static open(data: unknown): Envelope | undefined {
    if (!(data instanceof Uint8Array) || data.length < HEADER_LENGTH) return undefined;
    if (MAGIC.some((byte, index) => data[index] !== byte)) return undefined;
    if (![TEXT, BINARY, CONTROL].includes(data[KIND] ?? -1)) return undefined;
    const view = new DataView(data.buffer, data.byteOffset, HEADER_LENGTH);
    const payloadAt = HEADER_LENGTH + view.getUint16(TOPIC_LENGTH);
    if (payloadAt + view.getUint32(PAYLOAD_LENGTH) !== data.length) return undefined;
    return new Envelope(data, payloadAt);
  }

  /** Whether a sender has sent it. */
  isFrom(sender: Uint8Array): boolean {
    return sender.every((byte, index) => this.#bytes[SENDER + index] === byte);
  }

  /** Whether it is for the application, and not for its subscribers. */
  get isControl(): boolean {
    return this.#bytes[KIND] === CONTROL;
  }

  /** The topic; `undefined` if it is not UTF-8. */
  get topic(): string | undefined {
    return decode(this.#bytes.subarray(HEADER_LENGTH, this.#payloadAt));
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
