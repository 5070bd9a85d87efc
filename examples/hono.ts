/**
 * WebSockets beside Hono on `@hono/node-server`. For Hono without it, see mount.ts.
 *
 *     npm install hono @hono/node-server
 *     deno run -A examples/hono.ts [port]
 *     bun run examples/hono.ts [port]
 *     node examples/hono.ts [port]
 */
import process from "node:process";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class RoomHandler extends WebSocketHandler<unknown, { room: string }> {
  override open(): void {
    this.subscribe(this.params.room);
  }

  onMessage(message: string | Uint8Array): void {
    app.publish(this.params.room, message);
  }
}

const app: Application = new Application([["/rooms/:room", RoomHandler]]) as Application;
const hono = new Hono();
hono.get("/", (context) => context.text("Connect to /rooms/any-name"));
hono.get("/rooms/:room", (context) => {
  return context.json({ members: app.subscriberCount(context.req.param("room")) });
});

const port = Number(process.argv[2] ?? 8888);
const server = serve({ fetch: hono.fetch, port }, ({ port }) => {
  console.log(`http://localhost:${port}/`);
});
app.attach(server);

/** Closes the WebSockets with 1001, and then the server. */
async function stop(): Promise<void> {
  await app.shutdown();
  server.close();
  if ("closeAllConnections" in server) server.closeAllConnections();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
