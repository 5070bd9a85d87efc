/**
 * An echo server with npm:faye-websocket and node:http. Runs on Node, and prints `ready PORT`. It has
 * the subprotocol `chat`. The message `close` closes with 4000.
 *
 * @module
 */
import FayeWebSocket from "faye-websocket";
import { createServer } from "node:http";

/** The part of a socket that is used. The package has no types. */
interface Faye {
  on(event: "message", listener: (event: { readonly data: string | Uint8Array }) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  send(data: string | Uint8Array): void;
  close(code: number, reason: string): void;
}

const Socket = FayeWebSocket as unknown as {
  new (...args: unknown[]): Faye;
  isWebSocket(request: unknown): boolean;
};

const server = createServer((_request, response) => response.writeHead(418).end("short and stout"));
server.on("upgrade", (request, connection, firstBytes) => {
  if (!Socket.isWebSocket(request)) {
    connection.destroy();
    return;
  }
  const socket = new Socket(request, connection, firstBytes, ["chat"]);
  socket.on("error", (error) => console.error(error.message));
  socket.on("message", ({ data }) => {
    if (data === "close") socket.close(4000, "as you wish");
    else socket.send(data);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address && typeof address === "object") console.log(`ready ${address.port}`);
});
