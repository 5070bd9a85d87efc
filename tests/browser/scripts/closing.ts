/**
 * A server that closes when it is sent a message, and that prints `closed`, the code and the reason at
 * the end of each connection. Its page is blank. Prints `ready PORT`.
 */
import { Application, WebSocketHandler } from "../../../mod.ts";

class Closing extends WebSocketHandler {
  override onMessage(): void {
    this.close(4321, "as you wish");
  }
  override onClose(): void {
    console.log(`closed ${this.closeCode} ${this.closeReason}`);
  }
}

const blank = () => new Response("", { headers: { "content-type": "text/html" } });
const app = new Application([["/", Closing]], { fetch: blank });
const server = app.listen({ port: 0, hostname: "127.0.0.1" });
await server.listening;
console.log(`ready ${server.addr.port}`);
