/**
 * HTTP/2 streams and sessions, checked without the types of Node. Nothing runs.
 *
 * @module
 */
import { Application, type Http2Fields, type Http2ServerStream } from "../../mod.ts";
import {
  type ConnectOptions,
  type Http2ClientSession,
  websocketConnect,
} from "../../src/client/mod.ts";

const app = new Application([]);

declare const stream: Http2ServerStream;
declare const fields: Http2Fields;
declare const session: Http2ClientSession;

export const isOurs: boolean = app.handleStream(stream, fields);
// @ts-expect-error The fields are needed.
app.handleStream(stream);
// @ts-expect-error Not a stream.
app.handleStream({}, fields);

export const options: ConnectOptions = { http2: session };
// @ts-expect-error Not a session.
websocketConnect("ws://localhost/", { http2: {} });
