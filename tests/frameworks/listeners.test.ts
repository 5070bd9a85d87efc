import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer } from "ws";
import { Application, WebSocketHandler } from "../../mod.ts";
import { type WebSocketClientConnection, websocketConnect } from "../../src/client/mod.ts";
import { Host } from "../attach/support.ts";

/** It takes longer than Socket.IO waits for the first byte. */
class Patient extends WebSocketHandler {
  override prepare(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 50));
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

interface Client {
  send(text: string): void;
}

/** Servers that would answer, or end, requests for paths of others. */
const OTHERS: readonly {
  readonly name: string;
  /** Listens on the server. Returns what ends it. */
  readonly add: (host: Host) => () => unknown;
  readonly path: string;
  readonly greeting: RegExp;
}[] = [
  {
    name: "ws with server and path, which answers 400 to other paths",
    add: ({ server }) => {
      const wss = new WebSocketServer({ server, path: "/ws" });
      wss.on("connection", (client: Client) => client.send("Hello from ws"));
      return () => wss.close();
    },
    path: "/ws",
    greeting: /^Hello from ws$/,
  },
  {
    name: "Socket.IO, which ends sockets that say nothing",
    add: ({ server }) => {
      const io = new SocketIo({ destroyUpgradeTimeout: 1 });
      io.attach(server);
      return () => io.engine.close();
    },
    path: "/socket.io/?EIO=4&transport=websocket",
    greeting: /^0\{"sid"/,
  },
];

for (const { name, add, path, greeting } of OTHERS) {
  describe(`beside ${name}`, () => {
    for (const first of ["theirs", "ours"]) {
      test(`with ${first} added first`, async () => {
        await using host = new Host();
        let end: () => unknown = () => {};
        if (first === "theirs") end = add(host);
        const app = new Application([["/patient", Patient]]);
        const attachment = app.attach(host.server);
        if (first === "ours") end = add(host);
        await host.listen();
        const ours: WebSocketClientConnection[] = [];
        for (const version of ["rfc6455", "draft76"] as const) {
          ours.push(await websocketConnect(host.url("/patient"), { version }));
        }
        const theirs = await websocketConnect(host.url(path));
        assertEquals(greeting.test(String(await theirs.readMessage())), true);
        for (const connection of ours) {
          connection.writeMessage("Hello");
          assertEquals(await connection.readMessage(), "Hello");
          connection.close();
          await connection.closed;
        }
        theirs.close();
        await theirs.closed;
        end();
        await attachment[Symbol.asyncDispose]();
      });
    }
  });
}
