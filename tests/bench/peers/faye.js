// faye-websocket on websocket-driver, which speaks draft76 too: echoes on /, replies on /reply, broadcasts on /fan.
// Usage: node faye.js PORT
import { createServer } from "node:http";
import process from "node:process";
import WebSocket from "faye-websocket";

const members = new Set();

// Another message of the same length: its first letter is in lower case.
function reply(message) {
  if (typeof message === "string") return message.charAt(0).toLowerCase() + message.slice(1);
  message[0] |= 0x20;
  return message;
}
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
  } else if (request.url === "/reply") {
    socket.on("message", (event) => socket.send(reply(event.data)));
  } else {
    socket.on("message", (event) => socket.send(event.data));
  }
});

server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
