/**
 * An echo server with npm:ws. Runs on Node, and prints `ready PORT`. It compresses, and chooses the first
 * subprotocol except `none`. The message `close` closes with 4000.
 *
 * @module
 */
import { WebSocketServer } from "ws";
import { messageLimit, reportClose, reportMessage } from "./reporter.ts";

/** The part of a socket that is used. */
interface Socket {
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): void;
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  maxPayload: messageLimit,
  perMessageDeflate: { threshold: 0 },
  handleProtocols: (offered: Set<string>) => [...offered].find((name) => name !== "none") ?? false,
});

server.on("listening", () => console.log(`ready ${(server.address() as { port: number }).port}`));
server.on("connection", (socket: Socket, { url }: { readonly url: string }) => {
  socket.on("close", (code, reason) => reportClose(url, code, String(reason)));
  socket.on("error", (error) => console.error(error.message));
  socket.on("message", (data, isBinary) => {
    reportMessage(url, isBinary ? data : String(data));
    const text = isBinary ? "" : String(data);
    if (text === "close") socket.close(4000, "as you wish");
    else socket.send(isBinary ? data : text);
  });
});
