/**
 * Three WebSocket servers on one port: this one, `ws` and Socket.IO, each under its own path.
 *
 *     npm install ws socket.io
 *     deno run -A examples/beside.ts [port]
 *     bun run examples/beside.ts [port]
 *     node examples/beside.ts [port]
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer } from "ws";
import { Application, WebSocketHandler } from "@waterspout/websocket";

class EchoHandler extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const server = createServer((_request, response) => void response.end("Hello over HTTP\n"));

// /socket.io/
const io = new SocketIo(server);
io.on("connection", (socket) => void socket.emit("hello", "from Socket.IO"));

// `ws` with `server` answers 400 to every path that is not its own. So it gets only its own path.
const wss = new WebSocketServer({ noServer: true });
wss.on("connection", (socket) => void socket.send("Hello from ws"));
server.on("upgrade", (request, socket, head) => {
  if (request.url !== "/ws") return;
  wss.handleUpgrade(request, socket, head, (client) => wss.emit("connection", client, request));
});

// Requests for /echo reach none of the listeners above.
const app = new Application([["/echo", EchoHandler]]);
app.attach(server);

server.listen(Number(process.argv[2] ?? 8888), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/`);
});

/** Closes the WebSockets, and then the server. */
async function stop(): Promise<void> {
  await app.shutdown();
  for (const client of wss.clients) client.terminate();
  await io.close();
  server.closeAllConnections();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
