// The floor of Node: echoes bytes without any protocol. With "fan", it sends the bytes of each
// connection to all. Usage: node raw_node.js PORT MODE [--tls CERT KEY]
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { createServer as createTlsServer } from "node:tls";

const [port, mode, , cert, key] = process.argv.slice(2);
const members = new Set();

const serve = (socket) => {
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
};
const server = cert
  ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key), noDelay: true }, serve)
  : createServer({ noDelay: true }, serve);
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
