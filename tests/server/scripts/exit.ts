/**
 * Serves, shuts down, and prints `done`. Then the process must exit: `exit.ts CASE`.
 */
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";
import { nodeTransport } from "../../../src/transport/node.ts";
import { makeOpening } from "../../support/memory_client.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** Of all timeouts, in milliseconds: a process that waits for one of them has not ended promptly. */
const LONG = 600_000;

const app = new Application([["/", Echo]], {
  fetch: () => new Response("plain"),
  maxConnections: 3,
  handshakeTimeout: LONG,
  keepAliveTimeout: LONG,
  pingInterval: LONG,
  pingTimeout: LONG,
  closeTimeout: LONG,
});
const where = { hostname: "127.0.0.1", port: 0 };

/** Connects, sends, and resolves when something has arrived. */
function send(port: number, bytes: string | Uint8Array): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("error", reject);
    socket.once("data", () => resolve(socket));
  });
}

function open(port: number): Promise<Socket> {
  return send(port, makeOpening("rfc6455", { host: `127.0.0.1:${port}` }).head);
}

/** A socket that closes when it receives something. */
function endAtNext(socket: Socket): void {
  socket.on("data", () => socket.end());
}

const cases: Readonly<Record<string, () => Promise<void>>> = {
  /** Clients of every kind are connected at the shutdown. */
  async connected() {
    const server = app.listen(where);
    await server.listening;
    const { port } = server.addr;
    endAtNext(await open(port));
    const silent = connect(port, "127.0.0.1");
    silent.on("error", () => {});
    const half = await new Promise<Socket>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("GET / HTTP/1.1\r\n");
        resolve(socket);
      });
    });
    endAtNext(half);
    half.on("error", () => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    (await send(port, "turned away\r\n\r\n")).end();
    await server.shutdown({ timeout: LONG });
  },
  /** All clients and their timers are gone before. */
  async gone() {
    const server = app.listen(where);
    await server.listening;
    const { port } = server.addr;
    for (let i = 0; i < 3; i++) {
      const socket = await open(port);
      socket.end();
      await new Promise((resolve) => socket.once("close", resolve));
    }
    const plain = await send(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    plain.end();
    await new Promise((resolve) => plain.once("close", resolve));
    await server.shutdown({ timeout: LONG });
  },
  /** The listener is not ours. */
  async accept() {
    const listener = createServer((socket) => app.accept(nodeTransport(socket)));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const address = listener.address();
    const socket = await open(typeof address === "object" && address !== null ? address.port : 0);
    listener.close();
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve));
  },
  /** A client of another process has sent more than its handler accepts. The handler never settles. */
  async paused() {
    const stuck = Promise.withResolvers<void>();
    class Stuck extends Echo {
      override onMessage(): Promise<void> {
        stuck.resolve();
        return new Promise(() => {});
      }
    }
    const app = new Application([["/", Stuck]], { maxQueuedSize: 1 });
    const server = app.listen({ ...where, onListen: ({ port }) => console.log(`port ${port}`) });
    await stuck.promise;
    // The message after it arrives in the same read, and stops the reading.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.shutdown({ timeout: 200 });
  },
  /** No client connects, and there is no shutdown. */
  async unref() {
    const server = app.listen(where);
    await server.listening;
    server.unref();
  },
};

await cases[process.argv[2] ?? ""]?.();
console.log("done");
