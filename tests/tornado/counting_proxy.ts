/**
 * A TCP proxy that counts the bytes in each direction.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** One proxy. Every test that starts one ends it with `stop`. */
export class CountingProxy {
  /** What its clients have sent and received. */
  readonly bytes = { sent: 0, received: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, "127.0.0.1");
      this.#forward(client, server, "sent");
      this.#forward(server, client, "received");
    });
  }

  /** Starts a proxy for a port of 127.0.0.1. */
  static start(target: number): Promise<CountingProxy> {
    const proxy = new CountingProxy(target);
    return new Promise((resolve) => {
      proxy.#server.listen(0, "127.0.0.1", () => resolve(proxy));
    });
  }

  /** Its port on 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #forward(from: Socket, to: Socket, direction: "sent" | "received"): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (chunk: Uint8Array) => {
      this.bytes[direction] += chunk.length;
      to.write(chunk);
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => this.#sockets.delete(from));
  }

  /** Ends its connections, and stops. */
  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
