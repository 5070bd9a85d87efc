/**
 * Restarts without losing work. After Ctrl-C the server accepts no connection, handles every message
 * that it has read, sends the replies, and closes every connection with 1012, so that clients
 * reconnect. A message that arrives behind the close frame is handled too, but no reply can be sent:
 * clients should send again what was not answered.
 *
 *     deno run --allow-net examples/shutdown.ts [port]
 *     bun run examples/shutdown.ts [port]
 *     node examples/shutdown.ts [port]
 *
 * A second Ctrl-C exits at once.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Application, type Server, WebSocketHandler } from "@waterspout/websocket";

class SlowHandler extends WebSocketHandler {
  async onMessage(message: string | Uint8Array): Promise<void> {
    console.log("working");
    await sleep(1000);
    // This works during the shutdown too: the closing handshake comes after it.
    await this.writeMessage(`Done: ${message}`);
  }

  override onClose(): void {
    console.log(`closed with ${this.closeCode ?? "no code"}`);
  }
}

const server: Server = new Application([["/websocket", SlowHandler]], {
  // For the health check of a load balancer.
  fetch: () => new Response(null, { status: server.stopping ? 503 : 204 }),
}).listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});

async function stop(): Promise<void> {
  if (server.stopping) return process.exit(1);
  // 1012 is "service restart": clients should reconnect.
  await server.shutdown({ code: 1012, reason: "a new version", timeout: 10_000 });
  console.log("stopped");
  // Deno does not exit while there is a signal listener.
  process.exit();
}

process.on("SIGINT", () => void stop());
process.on("SIGTERM", () => void stop());
