/**
 * Streams of `node:http2` as connections.
 *
 * @module
 */
import { endsOf, Http2Transport } from "./http2_stream.ts";
import type { Http2Stream, Http2StreamSession } from "./http2_types.ts";
import type { Address, Transport } from "./transport.ts";

export { extendedConnectEnabled, requestStream } from "./http2_request.ts";
export type { StreamRequestEvents } from "./http2_request.ts";
export type {
  Http2ClientSession,
  Http2ServerSession,
  Http2ServerStream,
  Http2Socket,
  Http2Stream,
  Http2StreamSession,
} from "./http2_types.ts";

/** Returns the addresses of a session, whose socket may be closed later. */
export function sessionAddress(session: Http2StreamSession): Address {
  return endsOf(session).remoteAddress;
}

/**
 * Makes a {@linkcode Transport} from an open stream. Reading starts when `events` is set.
 *
 * @param stream A stream that nothing else reads or writes.
 */
export function http2Transport(stream: Http2Stream): Transport {
  return new Http2Transport(stream);
}
