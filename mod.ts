/**
 * Tornado's WebSocket handler for Deno, Bun and Node.
 *
 * @module
 */
export { HttpError, ProtocolError, WebSocketClosedError } from "./src/errors.ts";
