// Bun.serve (uWebSockets): echoes on /, broadcasts on /fan. Usage: bun bun_serve.js PORT
import process from "node:process";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    const isMember = request.url.endsWith("/fan");
    if (server.upgrade(request, { data: { isMember } })) return;
    return new Response("not a WebSocket request", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    open(socket) {
      if (socket.data.isMember) socket.subscribe("fan");
    },
    message(socket, message) {
      if (socket.data.isMember) server.publish("fan", message);
      else socket.send(message);
    },
  },
});
console.log("ready");
