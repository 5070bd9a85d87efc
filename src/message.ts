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
      const text: string | undefined = JSON.stringify(message);
      if (text !== undefined) return text;
      throw new TypeError("Cannot send an object: its toJSON() returns nothing that JSON has");
    }
  }
  const kind = typeof message === "object" && message !== null
    ? `a ${message.constructor?.name ?? "class instance"}`
    : `${message}`;
  throw new TypeError(
    `Cannot send ${kind}: not a string, a Uint8Array, a plain object or an array`,
  );
}

/** The size of a message on the wire, in bytes, its frame not counted. */
export function sizeOf(payload: string | Uint8Array): number {
  if (typeof payload !== "string") return payload.length;
  let size = payload.length;
  for (let at = 0; at < payload.length; at++) {
    const code = payload.charCodeAt(at);
    if (code < 0x80) continue;
    size += code < 0x800 ? 1 : 2;
    // Two units that make one character take four bytes.
    if (payload.codePointAt(at) !== code) at++;
  }
  return size;
}
