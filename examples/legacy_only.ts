/**
 * draft76 alone, beside a service that speaks RFC 6455 already: the smart TVs of 2010 to 2013 come
 * here, and everybody else is told 426.
 *
 *     deno run --allow-net examples/legacy_only.ts [port]
 *     bun run examples/legacy_only.ts [port]
 *     node examples/legacy_only.ts [port]
 *
 * Other servers cannot see such clients at all: they have no Sec-WebSocket-Version. A proxy tells
 * them by `Sec-WebSocket-Key1` and sends them here.
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
  // A set that is switched off sends no FIN. There is no ping to find that out: let silence count.
  idleTimeout: 10 * 60_000,
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/websocket`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
