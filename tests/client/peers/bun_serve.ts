/**
 * An echo server with Bun.serve. Runs on Bun, and prints `ready PORT`. It compresses. The message `close`
 * closes with 4000.
 *
 * @module
 */

/** The part of a socket that is used. */
interface Socket {
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
  fetch(request: Request, server: { upgrade(request: Request): boolean }) {
    if (server.upgrade(request)) return undefined;
    return new Response("not a WebSocket request", { status: 400 });
  },
  websocket: {
    perMessageDeflate: true,
    maxPayloadLength: 16 * 1024 * 1024,
    message(socket: Socket, message: string | Uint8Array) {
      if (message === "close") socket.close(4000, "as you wish");
      else socket.send(message, true);
    },
  },
});
console.log(`ready ${server.port}`);
