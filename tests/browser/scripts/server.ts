/**
 * Servers for a browser, with a page at `/`. Prints their ports: `ready CLOSING ATTACHED LISTENER`.
 *
 * - CLOSING closes a WebSocket when it is sent a message, and prints `closed`, the code and the reason
 *   at the end of each.
 * - ATTACHED and LISTENER echo over HTTP/2: an application attached to a server of `node:http2`, and a
 *   listener of ours. `/seen` is a {@linkcode Seen}.
 */
import { readFileSync } from "node:fs";
import {
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { Application, WebSocketHandler } from "../../../mod.ts";

/** How a page and its WebSockets have come. Sessions have numbers from 0. */
export interface Seen {
  /** How many sessions there were, and that of the page. Known to ATTACHED. */
  readonly sessions?: number;
  readonly page?: number;
  /** The stream of each WebSocket, and its session. */
  readonly sockets: readonly { readonly stream: unknown; readonly session: number }[];
}

const PAGE = "<!doctype html><title>Over HTTP/2</title>";
const HTML = { "content-type": "text/html" };
const credentials = {
  cert: readFileSync(new URL("../../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../../support/tls/key.pem", import.meta.url), "utf8"),
};

class Closing extends WebSocketHandler {
  override onMessage(): void {
    this.close(4321, "as you wish");
  }
  override onClose(): void {
    console.log(`closed ${this.closeCode} ${this.closeReason}`);
  }
}

/** What a server has seen. */
class Record {
  readonly sessions: Http2Session[] = [];
  readonly sockets: Seen["sockets"][number][] = [];

  numberOf(session: Http2Session | undefined): number {
    if (session === undefined) throw new Error("The stream has no session");
    if (!this.sessions.includes(session)) this.sessions.push(session);
    return this.sessions.indexOf(session);
  }
}

class Echo extends WebSocketHandler<Record> {
  override open(): void {
    const { id, session } = this.rawRequest as ServerHttp2Stream;
    this.options.sockets.push({ stream: id, session: this.options.numberOf(session) });
  }
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered[0];
  }
  override getCompressionOptions() {
    return {};
  }
  onMessage(message: string | Uint8Array): Promise<void> | void {
    if (message === "close") this.close(4321, "as you wish");
    else return this.writeMessage(message);
  }
}

async function listen(): Promise<number> {
  const record = new Record();
  const fetch = (request: Request) =>
    request.url.endsWith("/seen")
      ? Response.json({ sockets: record.sockets } satisfies Seen)
      : new Response(PAGE, { headers: HTML });
  const server = new Application([["/ws", Echo, record]], { fetch }).listen({
    port: 0,
    hostname: "127.0.0.1",
    http2: true,
    // The browser asks a second time, when it was told to ignore the certificate.
    onError: () => {},
    ...credentials,
  });
  await server.listening;
  return server.addr.port;
}

async function attach(): Promise<number> {
  const record = new Record();
  let page: number | undefined;
  const server = createSecureServer({ ...credentials, allowHTTP1: true });
  server.on("session", (session) => record.numberOf(session));
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (headers[":method"] !== "GET") return;
    if (headers[":path"] === "/") page = record.numberOf(stream.session);
    stream.respond({ ":status": 200, ...HTML });
    const { sessions: { length: sessions }, sockets } = record;
    const seen = { sessions, sockets, ...(page === undefined ? {} : { page }) } satisfies Seen;
    stream.end(headers[":path"] === "/seen" ? JSON.stringify(seen) : PAGE);
  });
  new Application([["/ws", Echo, record]]).attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const closing = new Application([["/", Closing]], {
  fetch: () => new Response("", { headers: HTML }),
}).listen({ port: 0, hostname: "127.0.0.1" });
await closing.listening;
console.log(`ready ${closing.addr.port} ${await attach()} ${await listen()}`);
