/**
 * HTTP servers with an application attached, in the test's own process.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server as HttpServer,
} from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Application, type Settings, WebSocketHandler } from "../../mod.ts";
import type { Attachment, AttachOptions } from "../../src/server/attachment.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { RawClient } from "../support/raw_client.ts";

/** The key and certificate of "localhost" for tests, valid until 2120. */
const credentials = {
  cert: readFileSync(new URL("../support/tls/cert.pem", import.meta.url), "utf8"),
  key: readFileSync(new URL("../support/tls/key.pem", import.meta.url), "utf8"),
};

/** Sends every message back in its own type. */
export class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** Sends the properties of its request. */
export class Mirror extends WebSocketHandler {
  override open(name: string): void {
    const { remoteAddress, localAddress, secure } = this.connection;
    const raw = this.rawRequest as IncomingMessage & { user?: string };
    this.writeMessage({
      name,
      remote: `${remoteAddress.transport} ${remoteAddress.hostname} ${remoteAddress.port}`,
      local: `${localAddress.transport} ${localAddress.hostname} ${localAddress.port}`,
      secure,
      url: this.request.url,
      cookie: this.getCookie("session"),
      raw: raw.url,
      headers: raw.rawHeaders,
      user: raw.user,
      timeout: raw.socket.timeout,
    });
  }
  onMessage(): void {}
}

/** The kinds of servers that speak HTTP/1.1. */
export const KINDS = ["http", "https", "http2"] as const;

/** One of {@linkcode KINDS}; `http2` with `allowHTTP1`. */
export type Kind = (typeof KINDS)[number];

/** Makes a server. */
export function makeServer(kind: Kind, onRequest: RequestListener): HttpServer {
  if (kind === "http") return createServer(onRequest);
  if (kind === "https") return createTlsServer(credentials, onRequest);
  const server = createSecureServer({ ...credentials, allowHTTP1: true });
  server.on("request", onRequest as never);
  return server as unknown as HttpServer;
}

/** A server on a port of loopback. */
export class Host implements AsyncDisposable {
  /** The server. */
  readonly server: HttpServer;
  /** A line for each log entry. */
  readonly logged: string[] = [];
  /** The application. */
  readonly app: Application;
  /** Whether it is TLS. */
  readonly secure: boolean;
  readonly #clients: RawClient[] = [];

  /** Serves `/echo` and `/mirror/:name`. */
  constructor(settings: Partial<Settings> = {}, kind: Kind = "http") {
    this.secure = kind !== "http";
    this.server = makeServer(kind, (request, response) => {
      response.end(`${request.method} ${request.url}`);
    });
    const versions = WEBSOCKET_VERSIONS;
    const log = (message: string, error?: unknown) => {
      this.logged.push(error instanceof Error ? `${message} ${error.message}` : message);
    };
    this.app = new Application([["/echo", Echo], ["/mirror/:name", Mirror]], {
      versions,
      log,
      ...settings,
    }) as Application;
  }

  /** The port. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Listens. */
  async listen(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
  }

  /** Attaches the application. */
  attach(options?: AttachOptions): Attachment {
    return this.app.attach(this.server, options);
  }

  /** The URL of a path. */
  url(path: string): string {
    return `ws${this.secure ? "s" : ""}://127.0.0.1:${this.port}${path}`;
  }

  /** Connects a client that is destroyed at the end. */
  async connect(): Promise<RawClient> {
    const client = await RawClient.connect({ port: this.port, tls: this.secure });
    this.#clients.push(client);
    return client;
  }

  /** Sends a request, and returns the head of the answer. */
  async ask(path: string, ...fields: readonly string[]): Promise<string> {
    const client = await this.connect();
    client.write([`GET ${path} HTTP/1.1`, "Host: localhost", ...fields, "", ""].join("\r\n"));
    return new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
  }

  /** Ends the test: closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends the test and checks the log. */
  async close(logged: readonly string[] = []): Promise<void> {
    for (const client of this.#clients) await client.destroy();
    await this.app.shutdown({ timeout: 2000 });
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections?.();
    await closed;
    assertEquals(this.logged, logged);
    assertEquals(this.app.stats().sockets, 0);
  }
}

/** Runs `body` with a server that listens and has the application attached. */
export async function withHost(
  body: (host: Host, attachment: Attachment) => Promise<void>,
  { kind, settings, options, logged }: {
    readonly kind?: Kind;
    readonly settings?: Partial<Settings>;
    readonly options?: AttachOptions;
    readonly logged?: readonly string[];
  } = {},
): Promise<void> {
  const host = new Host(settings, kind);
  const attachment = host.attach(options);
  await host.listen();
  try {
    await body(host, attachment);
  } finally {
    await host.close(logged);
  }
}

/** The fields of a handshake of RFC 6455. */
export const HANDSHAKE: readonly string[] = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];
