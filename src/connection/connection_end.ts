/**
 * Why a connection ended.
 *
 * @module
 */
import type { Protocol } from "../protocol/protocol.ts";
import type { ConnectionEvent } from "./states.ts";

/**
 * Who or what ended a connection:
 *
 * - `"peer"`: the peer's closing handshake;
 * - `"server"`: this end, a server: `close()`, `abort()`, or an exception in a callback;
 * - `"client"`: this end, a client: `close()` or `abort()`;
 * - `"timeout"`: no data within `pingTimeout` of a ping, no message within `idleTimeout`, no close
 *   frame within `closeTimeout`, or no complete handshake within `handshakeTimeout`;
 * - `"overflow"`: more than `maxBufferedAmount` waited for the peer (1013);
 * - `"protocol"`: the peer broke a rule of its version, or exceeded a limit (1002, 1007, 1008, 1009);
 * - `"network"`: the socket was closed without a closing handshake;
 * - `"shutdown"`: the server shut down.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { type EndedBy, WebSocketHandler } from "@waterspout/websocket";
 *
 * const ends = new Map<EndedBy, number>();
 * class Counted extends WebSocketHandler {
 *   onMessage(): void {}
 *   override onClose(): void {
 *     const { by } = this.ended!; // set before `onClose` is called
 *     ends.set(by, (ends.get(by) ?? 0) + 1);
 *   }
 * }
 * assert(ends.size === 0 && Counted.name === "Counted");
 * ```
 */
export type EndedBy =
  | "peer"
  | "server"
  | "client"
  | "timeout"
  | "overflow"
  | "protocol"
  | "network"
  | "shutdown";

/**
 * Why a connection ended. The first cause counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, type ConnectionEnd, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * const ended = Promise.withResolvers<ConnectionEnd | undefined>();
 * class Logger extends WebSocketHandler {
 *   onMessage(): void {}
 *   override onClose(): void {
 *     ended.resolve(this.ended);
 *   }
 * }
 *
 * const client = await connect(new Application([["/", Logger]]), "/");
 * client.close(1000, "goodbye");
 * assertEquals(await ended.promise, { by: "peer", code: 1000, reason: "goodbye" });
 * ```
 */
export interface ConnectionEnd {
  /** Who or what ended the connection. */
  readonly by: EndedBy;
  /**
   * The code of the first close frame, sent or received: 1005 if the frame has no code, 1006 if
   * there was no frame (RFC 6455 §7.1.5).
   */
  readonly code: number;
  /** The reason in the same close frame. */
  readonly reason: string;
  /** The cause, if it was an error: an exception, a broken rule or an error of the socket. */
  readonly error?: Error;
}

/** Makes an end without a close frame (RFC 6455 §7.1.5). */
export function unclosed(by: EndedBy, error: Error | undefined): ConnectionEnd {
  return { by, code: 1006, reason: "", ...(error === undefined ? {} : { error }) };
}

/** Makes the end for a FIN of the peer, or a closed socket, without a close frame before it. */
export function lossOf(
  { expectsCloseFrame }: Pick<Protocol, "expectsCloseFrame">,
  error: Error | undefined,
): ConnectionEnd {
  // draft75 has no close frame. A FIN is the regular end.
  return unclosed(expectsCloseFrame || error !== undefined ? "network" : "peer", error);
}

/** What {@linkcode asSent} needs to know. */
export interface SentClose {
  /** The event that ends the connection. */
  readonly event: ConnectionEvent;
  /** Whether a close frame is sent. */
  readonly sendsClose: boolean;
  /** Whether the version has a close frame, and close codes. */
  readonly protocol: Pick<Protocol, "hasBinary" | "hasCloseFrame">;
}

/** Returns an end with the code that is really sent; 1006 without a close frame. */
export function asSent(
  end: ConnectionEnd,
  { event, sendsClose, protocol }: SentClose,
): ConnectionEnd {
  if (event === "peerClose" || (protocol.hasBinary && (sendsClose || event !== "fail"))) return end;
  const sendsFrame = event === "close" && protocol.hasCloseFrame;
  return { ...end, code: sendsFrame ? 1005 : 1006, reason: "" };
}
