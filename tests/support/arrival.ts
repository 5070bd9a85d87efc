/**
 * Waits for bytes on their way between sockets of this process.
 *
 * @module
 */
import { type AddressInfo, connect, createServer } from "node:net";
import { settle } from "./settle.ts";

/** How often a byte goes back and forth: a TLS handshake goes on in several steps. */
const ROUNDS = 4;

/**
 * Resolves when this process has read what was sent to its sockets over loopback before the call: bytes
 * of another connection, sent later, have gone back and forth in the same event loop.
 */
export async function arrival(): Promise<void> {
  const server = createServer((socket) => void socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve, reject) => {
    let left = ROUNDS;
    const socket = connect(port, "127.0.0.1", () => socket.write("a"));
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      if (--left > 0) socket.write(chunk);
      else socket.end();
    });
    socket.on("close", () => resolve());
  });
  await new Promise((resolve) => server.close(resolve));
  await settle();
}
