// ws: echoes on /, replies on /reply, broadcasts on /fan. Usage:
// node ws.js PORT [--deflate | --takeover] [--async] [--tls CERT KEY]
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import process from "node:process";
import { WebSocketServer } from "ws";

const members = new Set();

// Another message of the same length: its first letter is in lower case.
function reply(message) {
  if (typeof message === "string") return message.charAt(0).toLowerCase() + message.slice(1);
  message[0] |= 0x20;
  return message;
}

const [port, ...flags] = process.argv.slice(2);
const [cert, key] = flags.includes("--tls") ? flags.slice(flags.indexOf("--tls") + 1) : [];
const deflates = flags.includes("--deflate") || flags.includes("--takeover");
const withoutContext = flags.includes("--deflate");
const address = { host: "127.0.0.1", port: Number(port) };
const ready = () => console.log("ready");
const secure = cert && createServer({ cert: readFileSync(cert), key: readFileSync(key) });

const server = new WebSocketServer({
  ...(secure ? { server: secure } : address),
  perMessageDeflate: deflates && {
    threshold: 0,
    serverNoContextTakeover: withoutContext,
    clientNoContextTakeover: withoutContext,
  },
  maxPayload: 16 * 1024 * 1024,
  clientTracking: false,
}, secure ? undefined : ready);
if (secure) secure.listen(address, ready);

// ws delivers text as bytes. Converted here, because applications need a string.
const messageOf = (data, isBinary) => isBinary ? data : data.toString();

// Replies after it has waited, as for a value in a cache.
async function replyLater(socket, message) {
  await null;
  socket.send(reply(message));
}

const send = flags.includes("--async")
  ? replyLater
  : (socket, message) => socket.send(reply(message));

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
    socket.on("message", (data, isBinary) => send(socket, messageOf(data, isBinary)));
  } else {
    socket.on("message", (data, isBinary) => socket.send(messageOf(data, isBinary)));
  }
});
