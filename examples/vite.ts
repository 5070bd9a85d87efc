/**
 * WebSockets beside Vite in middleware mode. Hot module replacement uses a WebSocket of the same
 * server, which Vite still gets.
 *
 *     npm install vite
 *     deno run -A examples/vite.ts [port] [folder]
 *     bun run examples/vite.ts [port] [folder]
 *     node examples/vite.ts [port] [folder]
 *
 * The folder has the `index.html` of your site. Default: the current one.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createServer as createVite } from "vite";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class TimeHandler extends WebSocketHandler {
  onMessage(): Promise<void> {
    return this.writeMessage(new Date().toISOString());
  }
}

const server = createServer((request, response) => vite.middlewares(request, response));
const vite = await createVite({
  root: process.argv[3] ?? process.cwd(),
  server: { middlewareMode: true, hmr: { server } },
});

const app = new Application([["/time", TimeHandler]]);
app.attach(server);
server.listen(Number(process.argv[2] ?? 8888), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/`);
});

/** Closes the WebSockets with 1001, and then the rest. */
async function stop(): Promise<void> {
  await app.shutdown();
  await vite.close();
  server.close();
  server.closeAllConnections();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
