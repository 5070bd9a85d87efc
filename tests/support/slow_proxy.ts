/**
 * A proxy for TCP that passes on a limited number of bytes per second, or cuts its connections.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** A proxy on 127.0.0.1. A test that starts one must call `stop`. */
export class SlowProxy {
  /** How many bytes each client may send per second. Bytes in the other direction are not limited. */
  bytesPerSecond = Infinity;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, "127.0.0.1");
      this.#join(client, server);
    });
  }

  /** Starts one in front of a port. */
  static async start(target: number): Promise<SlowProxy> {
    const proxy = new SlowProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** The port. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  #join(client: Socket, server: Socket): void {
    for (const [socket, other] of [[client, server], [server, client]] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    server.pipe(client);
    client.on("data", (chunk: Uint8Array) => {
      server.write(chunk);
      if (this.bytesPerSecond === Infinity) return;
      client.pause();
      const timer = setTimeout(() => client.resume(), chunk.length / this.bytesPerSecond * 1000);
      client.once("close", () => clearTimeout(timer));
    });
  }

  /** Cuts all connections. New ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends the proxy. */
  async stop(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
