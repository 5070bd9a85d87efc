/**
 * What a handler sends, before a wire format encodes it.
 *
 * @module
 */

/** A message to send: text, binary, or a plain object or array that goes as JSON text. */
export type Message = string | Uint8Array | object;

/**
 * The text or the bytes of a message.
 *
 * @throws {TypeError} If it is neither a string, a `Uint8Array`, a plain object nor an array.
 */
export function toPayload(message: Message): string | Uint8Array {
  if (typeof message === "string" || message instanceof Uint8Array) return message;
  if (typeof message === "object" && message !== null) {
    const prototype = Object.getPrototypeOf(message);
    if (Array.isArray(message) || prototype === Object.prototype || prototype === null) {
      return JSON.stringify(message);
    }
  }
  const kind = typeof message === "object" && message !== null
    ? `a ${message.constructor?.name ?? "class instance"}`
    : `${message}`;
  throw new TypeError(
    `Cannot send ${kind}: not a string, a Uint8Array, a plain object or an array`,
  );
}
