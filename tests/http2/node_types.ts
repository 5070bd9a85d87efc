/**
 * That the streams and sessions of Node fit. Nothing runs.
 *
 * @module
 */
import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Http2Fields, Http2ServerStream } from "../../mod.ts";
import type { Http2ClientSession } from "../../src/client/mod.ts";

type Fits<Type, Wanted> = Type extends Wanted ? true : false;

export const fit: readonly true[] = [
  true as Fits<ServerHttp2Stream, Http2ServerStream>,
  true as Fits<IncomingHttpHeaders, Http2Fields>,
  true as Fits<ClientHttp2Session, Http2ClientSession>,
];
