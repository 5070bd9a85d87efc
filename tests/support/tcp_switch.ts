/**
 * A port in front of several servers, of which one gets the new connections. Like a proxy when a
 * process has died.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** The port. A test that opens one ends it with `close`. */
export class TcpSwitch {
  #target: number | null;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  /** Connections that wait for a target. */
  readonly #waiting: Socket[] = [];

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => {
      this.#add(socket);
      if (this.#target === null) this.#waiting.push(socket);
      else this.#join(socket, this.#target);
    });
  }

  /** Listens on a free port of 127.0.0.1. @param target See {@linkcode turn}. */
  static async open(target: number): Promise<TcpSwitch> {
    const opened = new TcpSwitch(target);
    await new Promise<void>((resolve) => {
      opened.#server.listen({ port: 0, host: "127.0.0.1" }, resolve);
    });
    return opened;
  }

  /** The port. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Sets the port on 127.0.0.1 for new connections. @param target If `null`, they wait for one. */
  turn(target: number | null): void {
    this.#target = target;
    if (target !== null) {
      for (const socket of this.#waiting.splice(0)) {
        this.#join(socket, target);
      }
    }
  }

  #join(client: Socket, target: number): void {
    if (client.destroyed) return;
    const server = connect({ port: target, host: "127.0.0.1" });
    this.#add(server);
    for (const [from, to] of [[client, server], [server, client]] as const) {
      from.pipe(to);
      from.on("close", () => to.destroy());
    }
  }

  #add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // "close" follows.
    socket.on("close", () => this.#sockets.delete(socket));
  }

  /** Ends all connections and stops to listen. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }
}
