// Bun.serve (uWebSockets): echoes on /, replies on /reply, broadcasts on /fan. Usage:
// bun bun_serve.js PORT [--deflate | --takeover] [--async] [--tls CERT KEY]
import process from "node:process";

// Another message of the same length: its first letter is in lower case.
function reply(message) {
  if (typeof message === "string") return message.charAt(0).toLowerCase() + message.slice(1);
  message[0] |= 0x20;
  return message;
}

const [port, ...flags] = process.argv.slice(2);
const [cert, key] = flags.includes("--tls") ? flags.slice(flags.indexOf("--tls") + 1) : [];
const deflates = flags.includes("--deflate") || flags.includes("--takeover");
const compressor = flags.includes("--takeover") ? "dedicated" : "shared";
const isAsync = flags.includes("--async");

// Replies after it has waited, as for a value in a cache.
async function replyLater(socket, message) {
  await null;
  socket.send(reply(message));
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  ...(cert && { tls: { cert: Bun.file(cert), key: Bun.file(key) } }),
  fetch(request, server) {
    const isMember = request.url.endsWith("/fan");
    const isChanged = request.url.endsWith("/reply");
    if (server.upgrade(request, { data: { isMember, isChanged } })) return;
    return new Response("not a WebSocket request", { status: 400 });
  },
  websocket: {
    perMessageDeflate: deflates && { compress: compressor, decompress: compressor },
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    open(socket) {
      if (socket.data.isMember) socket.subscribe("fan");
    },
    message(socket, message) {
      if (isAsync) return replyLater(socket, message);
      if (socket.data.isMember) server.publish("fan", message);
      else socket.send(socket.data.isChanged ? reply(message) : message, deflates);
    },
  },
});
console.log("ready");
