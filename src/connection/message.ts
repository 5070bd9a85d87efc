/**
 * Messages to send, before a protocol encodes them.
 *
 * @module
 */
import { isDraft, type WebSocketVersion } from "../handshake/versions.ts";
import { MAX_CONTROL_SIZE } from "../protocol/frame_header.ts";

const encoder = new TextEncoder();

/**
 * A message to send: text, binary, or a plain object or array that is sent as JSON text.
 *
 * Binary is an `ArrayBuffer` or a view of one, such as `Uint8Array`, `DataView` or Node's `Buffer`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Echo extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const client = await connect(new Application([["/", Echo]]), "/");
 * client.writeMessage("text");
 * client.writeMessage(Uint8Array.of(1, 2, 3));
 * client.writeMessage(new Uint16Array([1, 2]).buffer);
 * client.writeMessage({ json: true });
 * assertEquals(await client.readMessage(), "text");
 * assertEquals(await client.readMessage(), Uint8Array.of(1, 2, 3));
 * assertEquals(await client.readMessage(), Uint8Array.of(1, 0, 2, 0));
 * assertEquals(await client.readMessage(), '{"json":true}');
 * ```
 */
export type Message = string | ArrayBuffer | ArrayBufferView | JsonMessage;

/**
 * An object or array for `JSON.stringify`. Its type may be an interface.
 *
 * The type excludes common mistakes that JSON cannot represent: functions, promises, `Map`, `Set`,
 * iterators, generators, `Blob`, `Request` and `Response`. At run time, an instance of any class is
 * a `TypeError`.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import type { JsonMessage } from "@waterspout/websocket";
 *
 * interface Chat {
 *   readonly from: string;
 *   readonly text: string;
 * }
 *
 * const chat: Chat = { from: "Ada", text: "Hello" };
 * const message: JsonMessage = chat;
 * // @ts-expect-error A Map would be sent as {}.
 * const mistake: JsonMessage = new Map([["from", "Ada"]]);
 * assert(message !== mistake);
 * ```
 */
export type JsonMessage =
  | readonly unknown[]
  // Object literals and type aliases.
  | { readonly [name: string]: unknown }
  // Interfaces, which have no index signature.
  | object & {
    /** Functions and classes have it. */
    readonly [Symbol.hasInstance]?: never;
    /** Maps, sets, generators and the like have it. */
    readonly [Symbol.iterator]?: never;
    /** Asynchronous generators and streams have it. */
    readonly [Symbol.asyncIterator]?: never;
    /** Promises, weak maps and the like have it. */
    readonly [Symbol.toStringTag]?: never;
    /** A promise has a method of this name. */
    readonly then?: Message | number | boolean | null | undefined;
    /** An iterator has a method of this name. */
    readonly next?: Message | number | boolean | null | undefined;
    /** `Blob`, `Request` and `Response` have a method of this name. */
    readonly arrayBuffer?: Message | number | boolean | null | undefined;
  };

/**
 * Returns the text or the bytes of a message.
 *
 * @throws {TypeError} If it is not a string, binary, a plain object or an array, or if
 * `JSON.stringify` fails.
 */
export function toPayload(message: Message): string | Uint8Array {
  if (typeof message === "string") return message;
  const bytes = bytesOf(message);
  if (bytes !== undefined) return bytes;
  if (Array.isArray(message) || isPlain(message)) return toJson(message);
  throw new TypeError(
    "Cannot send a message: must be a string, an ArrayBuffer or a view of one, a plain object or " +
      `an array, got ${kindOf(message)}`,
  );
}

/** Returns the bytes of an `ArrayBuffer` or of a view of one; `undefined` for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return isArrayBuffer(value) ? new Uint8Array(value) : undefined;
}

/**
 * Returns the text or the bytes of a message, checked for a version. A wrong argument throws even
 * if the connection is closed.
 *
 * @throws {TypeError} As {@linkcode toPayload}, and if the message is binary and the version has no
 * binary messages.
 */
export function toSendable(message: Message, version: WebSocketVersion): string | Uint8Array {
  const payload = toPayload(message);
  if (typeof payload === "string" || !isDraft(version)) return payload;
  throw new TypeError(`Cannot send a binary message: ${version} has none`);
}

/**
 * The payload of a ping.
 *
 * @throws {TypeError} If it is neither text nor bytes, or the version has no ping.
 * @throws {RangeError} If it has more than 125 bytes (RFC 6455 §5.5).
 */
export function toPing(payload: string | Uint8Array, version: WebSocketVersion): Uint8Array {
  if (isDraft(version)) throw new TypeError(`Cannot send a ping: ${version} has none`);
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot send a ping: payload must be a string or a Uint8Array, got ${kindOf(payload)}`,
    );
  }
  if (bytes.length > MAX_CONTROL_SIZE) {
    throw new RangeError(
      `Cannot send a ping: payload must have at most ${MAX_CONTROL_SIZE} bytes, ` +
        `got ${bytes.length} (RFC 6455 §5.5)`,
    );
  }
  return bytes;
}

function toJson(message: object): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (cause) {
    // A cycle or a BigInt. Other errors come from the application's toJSON().
    if (!(cause instanceof TypeError)) throw cause;
    throw new TypeError(`Cannot send a message as JSON: ${cause.message}`, { cause });
  }
  if (text !== undefined) return text;
  throw new TypeError("Cannot send a message as JSON: JSON.stringify() returned undefined");
}

/** Whether a value is an `ArrayBuffer`, even of another realm. */
function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer ||
    Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

/** Whether a value is an object without a class, even of another realm. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Describes a value for an error: `5`, `a function`, `a Map`. */
export function kindOf(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.constructor?.name ?? "class instance"}`;
}

/** Returns the size of a payload in bytes, without the frame header. */
export function sizeOf(payload: string | Uint8Array): number {
  if (typeof payload !== "string") return payload.length;
  let size = payload.length;
  for (let at = 0; at < payload.length; at++) {
    const code = payload.charCodeAt(at);
    if (code < 0x80) continue;
    size += code < 0x800 ? 1 : 2;
    // A surrogate pair takes four bytes.
    if (payload.codePointAt(at) !== code) at++;
  }
  return size;
}
