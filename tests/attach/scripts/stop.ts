/**
 * A process whose connections come from other servers: `accept` with a TCP server, `attach` to an HTTP
 * server. The process ends on SIGTERM.
 *
 * @module
 */
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";
import { nodeTransport } from "../../../src/transport/node.ts";

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

const app = new Application([["/", Echo]]);
const isAttached = process.argv[2] === "attach";
const server = isAttached
  ? createHttpServer()
  : createServer((socket) => app.accept(nodeTransport(socket)));
if (isAttached) app.attach(server);
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
process.once("SIGTERM", () => {
  server.close();
  void app.shutdown();
});
