/**
 * Checks each frame header against the limits of a message.
 *
 * @module
 */
import { ProtocolError } from "../errors.ts";
import { RSV1 } from "./frame_header.ts";
import type { ProtocolLimits } from "./protocol.ts";
import type { Unfinished } from "./receive_state.ts";

/**
 * Checks the header of a data frame. Called for each frame, so the parameters are positional.
 *
 * @param message The message that the frame continues; `null` if the frame begins one.
 * @param first The first byte of the header.
 * @throws {ProtocolError} 1009.
 */
export function checkMessageLimits(
  message: Unfinished["message"],
  first: number,
  payloadLength: number,
  limits: ProtocolLimits,
): void {
  const { maxMessageSize, maxFragments, maxFragmentSize = Infinity } = limits;
  const size = payloadLength + (message === null ? 0 : message.size);
  const isCompressed = message === null ? (first & RSV1) !== 0 : message.isCompressed;
  // Compression can make a message a little larger. `inflate` checks the exact limit.
  if (size > maxMessageSize + (isCompressed ? Math.floor(maxMessageSize / 1024) + 64 : 0)) {
    throw new ProtocolError(
      1009,
      `a message must not exceed maxMessageSize (${maxMessageSize} bytes) (RFC 6455 §7.4.1)`,
    );
  }
  if (message !== null && message.frames >= maxFragments) {
    throw new ProtocolError(
      1009,
      `a message must not exceed maxFragments (${maxFragments} frames) (RFC 6455 §7.4.1)`,
    );
  }
  if (payloadLength > maxFragmentSize) {
    throw new ProtocolError(
      1009,
      `a frame must not exceed maxFragmentSize (${maxFragmentSize} bytes) (RFC 6455 §7.4.1)`,
    );
  }
}
