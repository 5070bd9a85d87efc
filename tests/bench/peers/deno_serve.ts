// Deno.serve with Deno.upgradeWebSocket (fastwebsockets): echoes on /, replies on /reply, broadcasts on /fan.
// Usage: deno run -A deno_serve.ts PORT [--async] [--tls CERT KEY]

const members = new Set<WebSocket>();

// Another message of the same length: its first letter is in lower case.
function reply(message: string | ArrayBuffer): string | ArrayBuffer {
  if (typeof message === "string") return message.charAt(0).toLowerCase() + message.slice(1);
  const bytes = new Uint8Array(message);
  bytes[0] = (bytes[0] ?? 0) | 0x20;
  return message;
}

const [port, ...flags] = Deno.args;
const [cert, key] = flags.includes("--tls") ? flags.slice(flags.indexOf("--tls") + 1) : [];

// Replies after it has waited, as for a value in a cache.
async function replyLater(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
  await null;
  socket.send(reply(message));
}

const send = flags.includes("--async")
  ? replyLater
  : (socket: WebSocket, message: string | ArrayBuffer) => socket.send(reply(message));
const tls = cert !== undefined && key !== undefined
  ? { cert: Deno.readTextFileSync(cert), key: Deno.readTextFileSync(key) }
  : {};

Deno.serve({
  ...tls,
  hostname: "127.0.0.1",
  port: Number(port),
  onListen: () => console.log("ready"),
}, (request) => {
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  socket.binaryType = "arraybuffer";
  if (request.url.endsWith("/fan")) {
    socket.onopen = () => members.add(socket);
    socket.onclose = () => members.delete(socket);
    socket.onmessage = (event) => {
      for (const member of members) member.send(event.data);
    };
  } else if (request.url.endsWith("/reply")) {
    socket.onmessage = (event) => void send(socket, event.data);
  } else {
    socket.onmessage = (event) => socket.send(event.data);
  }
  return response;
});
