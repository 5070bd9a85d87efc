/**
 * A restart that loses nothing: on Ctrl-C no new connection is accepted, work that is under way is
 * finished and answered, and every client is told to come back.
 *
 *     deno run --allow-net examples/shutdown.ts [port]
 *     bun run examples/shutdown.ts [port]
 *     node examples/shutdown.ts [port]
 *
 * A second Ctrl-C does not wait.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Application, type Server, WebSocketHandler } from "@waterspout/websocket";

class SlowHandler extends WebSocketHandler {
  async onMessage(message: string | Uint8Array): Promise<void> {
    console.log("working");
    await sleep(1000);
    // Also after the shutdown has begun: the closing handshake comes behind this.
    await this.writeMessage(`Done: ${message}`);
  }

  override onClose(): void {
    console.log(`closed with ${this.closeCode ?? "no code"}`);
  }
}

const server: Server = new Application([["/websocket", SlowHandler]], {
  // A load balancer asks, and sends nobody here any more.
  fetch: () => new Response(null, { status: server.stopping ? 503 : 204 }),
}).listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});

async function stop(): Promise<void> {
  if (server.stopping) return process.exit(1);
  // 1012, "service restart": clients connect again, to whoever listens then.
  await server.shutdown({ code: 1012, reason: "a new version", timeout: 10_000 });
  console.log("stopped");
  // Deno stays as long as somebody listens to a signal.
  process.exit();
}

process.on("SIGINT", () => void stop());
process.on("SIGTERM", () => void stop());
