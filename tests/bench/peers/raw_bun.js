// The floor of Bun: echoes bytes without any protocol. With "fan", it sends the bytes of each
// connection to all. Usage: bun raw_bun.js PORT MODE [--tls CERT KEY]
import process from "node:process";

const [port, mode, , cert, key] = process.argv.slice(2);
const members = new Set();

// socket.write returns how much the system accepted. The remaining bytes wait for drain.
function write(socket, bytes) {
  if (socket.data.queue !== null) {
    socket.data.queue = Buffer.concat([socket.data.queue, bytes]);
    return;
  }
  const written = Math.max(socket.write(bytes), 0);
  if (written < bytes.length) socket.data.queue = Buffer.from(bytes.subarray(written));
}

Bun.listen({
  hostname: "127.0.0.1",
  port: Number(port),
  ...(cert && { tls: { cert: Bun.file(cert), key: Bun.file(key) } }),
  socket: {
    open(socket) {
      socket.data = { queue: null };
      if (mode === "fan") members.add(socket);
    },
    data(socket, bytes) {
      if (mode !== "fan") return write(socket, bytes);
      for (const member of members) write(member, bytes);
    },
    drain(socket) {
      const queue = socket.data.queue;
      if (queue === null) return;
      socket.data.queue = null;
      write(socket, queue);
    },
    error() {},
    close(socket) {
      members.delete(socket);
    },
  },
});
console.log("ready");
