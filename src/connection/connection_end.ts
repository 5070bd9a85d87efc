/**
 * Why a connection ended.
 *
 * @module
 */
import type { Protocol } from "../protocol/protocol.ts";
import type { ConnectionEvent } from "./states.ts";

/**
 * Who ended a connection, or what:
 *
 * - `"peer"`: the peer's closing handshake;
 * - `"server"`: the server, if that is this end: `close()`, `abort()`, or an exception in a callback;
 * - `"client"`: the client, if that is this end, in the same ways;
 * - `"timeout"`: no answer to a ping within `pingTimeout`, or no message within `idleTimeout`;
 * - `"overflow"`: more than `maxBufferedAmount` waited for the peer (1013);
 * - `"protocol"`: the peer broke a rule of its version, or exceeded a limit (1002, 1007, 1009);
 * - `"network"`: the socket ended or was lost without a closing handshake;
 * - `"shutdown"`: the server shut down.
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
 * Why a connection ended: the first cause, whatever followed it.
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
  /** Who ended it, or what. */
  readonly by: EndedBy;
  /**
   * The code of the first closing frame, theirs or ours: 1005 if it has none, and 1006 if the
   * connection ended without one (RFC 6455 §7.1.5).
   */
  readonly code: number;
  /** The reason in the same closing frame. */
  readonly reason: string;
  /** The exception, the broken rule or the socket's error, if that was the cause. */
  readonly error?: Error;
}

/** An end without a closing frame (RFC 6455 §7.1.5). */
export function unclosed(by: EndedBy, error: Error | undefined): ConnectionEnd {
  return { by, code: 1006, reason: "", ...(error === undefined ? {} : { error }) };
}

/** The end that the peer's FIN or the loss of the socket is, where no closing frame has come. */
export function lossOf(
  { hasClosingFrame }: Pick<Protocol, "hasClosingFrame">,
  error: Error | undefined,
): ConnectionEnd {
  // draft75 has no closing frame: FIN is how a connection ends in good order.
  return unclosed(hasClosingFrame || error !== undefined ? "network" : "peer", error);
}

/** How the end of a connection is told over the wire. */
export interface Telling {
  /** What ends it. */
  readonly event: ConnectionEvent;
  /** Whether a closing frame goes out. */
  readonly sendsClose: boolean;
  /** Whether the version has a closing frame, and codes in it. */
  readonly protocol: Pick<Protocol, "hasBinary" | "hasClosingFrame">;
}

/** An end with the code that is on the wire: without a closing frame it is 1006. */
export function asSent(
  end: ConnectionEnd,
  { event, sendsClose, protocol }: Telling,
): ConnectionEnd {
  if (event === "peerClose" || (protocol.hasBinary && (sendsClose || event !== "fail"))) return end;
  const sendsFrame = event === "close" && protocol.hasClosingFrame;
  return { ...end, code: sendsFrame ? 1005 : 1006, reason: "" };
}
