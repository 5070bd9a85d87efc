/**
 * WebSockets and a Hono app on one port. Anything with a `fetch` function works: Hono, itty-router,
 * or your own function.
 *
 *     npm install hono
 *     deno run --allow-net examples/mount.ts [port]
 *     bun run examples/mount.ts [port]
 *     node examples/mount.ts [port]
 *
 * Each connection serves one HTTP request, without keep-alive. For much HTTP, use a second server,
 * and a proxy in front of both.
 */
import process from "node:process";
import { Hono } from "hono";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class NewsHandler extends WebSocketHandler {
  override open(): void {
    this.subscribe("news");
  }

  onMessage(): void {}
}

const hono = new Hono();
hono.get("/", (context) => context.text("POST /news, and whoever is at /websocket hears it"));
hono.post("/news", async (context) => {
  const { sent } = app.publish("news", await context.req.text());
  return context.json({ sent });
});

const app: Application = new Application([["/websocket", NewsHandler]], {
  fetch: (request) => hono.fetch(request),
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
