/**
 * An echo server with Bun.serve. Runs on Bun, and prints `ready PORT`. It compresses. The message `close`
 * closes with 4000.
 *
 * @module
 */
import { messageLimit, reportClose, reportMessage } from "./reporter.ts";

/** The part of a socket that is used. */
interface Socket {
  /** The URL of the handshake. */
  readonly data: string;
  send(message: string | Uint8Array, compress: boolean): void;
  close(code: number, reason: string): void;
}

/** The part of the `Bun` namespace that is used. */
interface BunNamespace {
  serve(options: object): { readonly port: number };
}

const { Bun } = globalThis as unknown as { Bun: BunNamespace };

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch(
    request: Request,
    server: { upgrade(request: Request, options: { data: string }): boolean },
  ) {
    if (server.upgrade(request, { data: request.url })) return undefined;
    return new Response("not a WebSocket request", { status: 400 });
  },
  websocket: {
    perMessageDeflate: true,
    maxPayloadLength: messageLimit,
    message(socket: Socket, message: string | Uint8Array) {
      reportMessage(socket.data, message);
      if (message === "close") socket.close(4000, "as you wish");
      else socket.send(message, true);
    },
    close(socket: Socket, code: number, reason: string) {
      reportClose(socket.data, code, reason);
    },
  },
});
console.log(`ready ${server.port}`);
