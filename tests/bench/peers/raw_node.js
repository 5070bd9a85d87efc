// The floor of Node: echoes bytes without any protocol. With "fan", it sends the bytes of each
// connection to all. Usage: node raw_node.js PORT [fan]
import { createServer } from "node:net";
import process from "node:process";

const [port, mode] = process.argv.slice(2);
const members = new Set();

const server = createServer({ noDelay: true }, (socket) => {
  if (mode === "fan") {
    members.add(socket);
    socket.on("close", () => members.delete(socket));
  }
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    if (mode === "fan") {
      for (const member of members) member.write(bytes);
    } else if (!socket.write(bytes)) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
});
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
