/**
 * The server of the conformance suite: in the process of the test, on a port of loopback.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Application } from "../../src/server/application.ts";
import { type HandlerClass, WebSocketHandler } from "../../src/server/handler.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import type { AnyRoute } from "../../src/server/route_types.ts";
import type { Settings } from "../../src/server/settings.ts";

/** Sends every message back with the same type. */
export class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** What listens: a listener of ours, or an HTTP server with the application attached. */
export const HOSTS = ["listener", "http"] as const;

/** How to run a server. */
export interface ServerOptions {
  /** The handler of `/`. Default: an echo. */
  readonly handler?: HandlerClass;
  /** What listens. Default: a listener of ours. */
  readonly host?: (typeof HOSTS)[number];
}

/**
 * Runs `body` while a server listens, and shuts it down. Nothing may be logged: a mistake of the peer is
 * never an error of the handler.
 *
 * @param settings Settings other than the defaults. Default: all versions.
 */
export async function withServer(
  settings: Partial<Settings>,
  body: (port: number) => Promise<void>,
  { handler = Echo, host = "listener" }: ServerOptions = {},
): Promise<void> {
  const logged: unknown[] = [];
  const app: Application = new Application([["/", handler]] as AnyRoute[], {
    versions: WEBSOCKET_VERSIONS,
    log: (...line) => {
      if (!line[0].startsWith("Refused a handshake: the origin ")) logged.push(line);
    },
    ...settings,
  });
  if (host === "http") await withAttached(app, body);
  else {
    const server = app.listen({ port: 0, hostname: "127.0.0.1" });
    try {
      await server.listening;
      await body(server.addr.port);
    } finally {
      await server.shutdown({ timeout: 2000 });
    }
  }
  assertEquals(logged, []);
}

async function withAttached(
  app: Application,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer();
  const attachment = app.attach(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    await attachment.shutdown({ timeout: 2000 });
    await new Promise((resolve) => server.close(resolve));
  }
}
