/**
 * The server of the conformance suite: in the process of the test, on a port of loopback.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Application } from "../../src/server/application.ts";
import { type HandlerClass, WebSocketHandler } from "../../src/server/handler.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import type { Settings } from "../../src/server/settings.ts";

/** Sends every message back with the same type. */
export class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/**
 * Runs `body` while a server listens, and shuts it down. Nothing may be logged: a mistake of the peer is
 * never an error of the handler.
 *
 * @param settings Settings other than the defaults. Default: all versions.
 * @param handler The handler of `/`. Default: an echo.
 */
export async function withServer(
  settings: Partial<Settings>,
  body: (port: number) => Promise<void>,
  handler: HandlerClass = Echo,
): Promise<void> {
  const logged: unknown[] = [];
  const app = new Application([["/", handler]], {
    versions: WEBSOCKET_VERSIONS,
    log: (...line) => {
      if (!line[0].startsWith("Refused a handshake: the origin ")) logged.push(line);
    },
    ...settings,
  });
  const server = app.listen({ port: 0, hostname: "127.0.0.1" });
  try {
    await server.listening;
    await body(server.addr.port);
  } finally {
    await server.shutdown({ timeout: 2000 });
  }
  assertEquals(logged, []);
}
