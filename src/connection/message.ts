/**
 * What a handler sends, before a wire format encodes it.
 *
 * @module
 */

/**
 * A message to send: text, binary, or a plain object or array that goes as JSON text.
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
 * client.writeMessage({ json: true });
 * assertEquals(await client.readMessage(), "text");
 * assertEquals(await client.readMessage(), Uint8Array.of(1, 2, 3));
 * assertEquals(await client.readMessage(), '{"json":true}');
 * ```
 */
export type Message = string | Uint8Array | object;

/**
 * The text or the bytes of a message.
 *
 * @throws {TypeError} If it is neither a string, a `Uint8Array`, a plain object nor an array.
 */
export function toPayload(message: Message): string | Uint8Array {
  if (typeof message === "string" || message instanceof Uint8Array) return message;
  if (Array.isArray(message) || isPlain(message)) {
    const text: string | undefined = JSON.stringify(message);
    if (text !== undefined) return text;
    throw new TypeError("Cannot send an object: its toJSON() returns nothing that JSON has");
  }
  throw new TypeError(
    `Cannot send ${kindOf(message)}: not a string, a Uint8Array, a plain object or an array`,
  );
}

/** Whether it is an object of no class, be it of another realm. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.constructor?.name ?? "class instance"}`;
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
