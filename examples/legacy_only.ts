/**
 * Serves only draft76, for smart TVs of 2010 to 2013, beside an existing service for RFC 6455.
 * Other clients get a 426.
 *
 *     deno run --allow-net examples/legacy_only.ts [port]
 *     bun run examples/legacy_only.ts [port]
 *     node examples/legacy_only.ts [port]
 *
 * Clients of draft76 send no `Sec-WebSocket-Version`, so other servers refuse them. A proxy can
 * recognise them by `Sec-WebSocket-Key1` and pass them to this server.
 */
import process from "node:process";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class EchoHandler extends WebSocketHandler {
  override open(): void {
    console.log(`open: ${this.version} from ${this.request.headers.get("origin")}`);
  }

  /** Text only: the draft has no binary messages, no pings and no close codes. */
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const app = new Application([["/websocket", EchoHandler]], {
  versions: ["draft76"],
  // A TV that is switched off sends no FIN, and draft76 has no ping. So close idle connections.
  idleTimeout: 10 * 60_000,
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/websocket`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
