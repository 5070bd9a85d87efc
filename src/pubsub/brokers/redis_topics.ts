/**
 * The names of a topic's keys and channel, and the format of its messages on the channel.
 *
 * A message without a history is published as it is. One with a history has a header of text:
 * `WSH`, byte 1, the epoch, a colon, the offset, a line feed. If a message without a history begins
 * like that, it gets a header with an empty epoch.
 *
 * @module
 */
import type { Position } from "./broker.ts";

const MAGIC = Uint8Array.of(0x57, 0x53, 0x48, 0x01);
const LINE_FEED = 10;
/** The magic, an epoch of 64 characters, the colon, 16 digits and the line feed. */
const MAX_HEADER_LENGTH = 86;
const HEADER = /^([\w-]{1,64}):([1-9]\d{0,15})$/;
const EMPTY_HEADER = Uint8Array.of(...MAGIC, 0x3a, LINE_FEED);

const decoder = new TextDecoder();

/** Encodes a topic, so that it can be a hash tag: the text between braces in a key. */
export function encodeTopic(topic: string): string {
  return topic.replaceAll("%", "%25").replaceAll("}", "%7D");
}

/** Decodes a topic. */
export function decodeTopic(encoded: string): string {
  return encoded.replaceAll("%7D", "}").replaceAll("%25", "%");
}

/** Returns the key of a topic. One server of a cluster has all keys of a topic, and its channel. */
export function keyOf(prefix: string, topic: string, name: string): string {
  return `${prefix}{${encodeTopic(topic)}}:${name}`;
}

/** Returns a message without a history as it is published. */
export function plainMessage(message: Uint8Array): Uint8Array {
  if (!hasMagic(message)) return message;
  const escaped = new Uint8Array(EMPTY_HEADER.length + message.length);
  escaped.set(EMPTY_HEADER);
  escaped.set(message, EMPTY_HEADER.length);
  return escaped;
}

/** A message from a channel. */
export interface ReceivedMessage {
  /** The bytes that were published. */
  readonly data: Uint8Array;
  /** Its position, if it has a history. */
  readonly position: Position | undefined;
}

/** Parses a message from a channel. One with a damaged header has no position. */
export function parseMessage(data: Uint8Array): ReceivedMessage {
  const plain = { data, position: undefined };
  if (!hasMagic(data)) return plain;
  const end = data.subarray(0, MAX_HEADER_LENGTH).indexOf(LINE_FEED);
  if (end === -1) return plain;
  const rest = data.subarray(end + 1);
  const header = decoder.decode(data.subarray(MAGIC.length, end));
  if (header === ":") return { data: rest, position: undefined };
  const [, epoch, digits] = HEADER.exec(header) ?? [];
  const offset = Number(digits);
  if (epoch === undefined || !Number.isSafeInteger(offset)) return plain;
  return { data: rest, position: { epoch, offset } };
}

function hasMagic(data: Uint8Array): boolean {
  return data[0] === MAGIC[0] && data[1] === MAGIC[1] && data[2] === MAGIC[2] &&
    data[3] === MAGIC[3];
}
