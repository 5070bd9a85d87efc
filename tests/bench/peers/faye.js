// faye-websocket on websocket-driver, which speaks draft76 too: echoes on /, broadcasts on /fan.
// Usage: node faye.js PORT
import { createServer } from "node:http";
import process from "node:process";
import WebSocket from "faye-websocket";

const members = new Set();
const server = createServer();

server.on("upgrade", (request, connection, firstBytes) => {
  if (!WebSocket.isWebSocket(request)) return connection.destroy();
  const options = { maxLength: 16 * 1024 * 1024 };
  const socket = new WebSocket(request, connection, firstBytes, [], options);
  socket.on("error", () => {});
  if (request.url === "/fan") {
    socket.on("open", () => members.add(socket));
    socket.on("close", () => members.delete(socket));
    socket.on("message", (event) => {
      for (const member of members) member.send(event.data);
    });
  } else {
    socket.on("message", (event) => socket.send(event.data));
  }
});

server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
