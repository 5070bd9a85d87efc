// ws: echoes on /, replies on /reply, broadcasts on /fan. Usage: node ws.js PORT
import process from "node:process";
import { WebSocketServer } from "ws";

const members = new Set();

// Another message of the same length: its first letter is in lower case.
function reply(message) {
  if (typeof message === "string") return message.charAt(0).toLowerCase() + message.slice(1);
  message[0] |= 0x20;
  return message;
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  perMessageDeflate: false,
  maxPayload: 16 * 1024 * 1024,
  clientTracking: false,
}, () => console.log("ready"));

// ws delivers text as bytes. Converted here, because applications need a string.
const messageOf = (data, isBinary) => isBinary ? data : data.toString();

server.on("connection", (socket, request) => {
  socket.on("error", () => {});
  if (request.url === "/fan") {
    members.add(socket);
    socket.on("close", () => members.delete(socket));
    socket.on("message", (data, isBinary) => {
      const message = messageOf(data, isBinary);
      for (const member of members) member.send(message);
    });
  } else if (request.url === "/reply") {
    socket.on("message", (data, isBinary) => socket.send(reply(messageOf(data, isBinary))));
  } else {
    socket.on("message", (data, isBinary) => socket.send(messageOf(data, isBinary)));
  }
});
