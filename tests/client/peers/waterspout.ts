/**
 * Our own echo server. Runs on each runtime, and prints `ready PORT`. It supports every version,
 * compression, and the subprotocols `chat` and `superchat`. The message `close` closes with
 * 4000.
 *
 * @module
 */
import { Application, WebSocketHandler } from "../../../mod.ts";

class Echo extends WebSocketHandler {
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.find((name) => name === "chat" || name === "superchat");
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    if (message !== "close") return this.writeMessage(message);
    this.close(4000, "as you wish");
    return Promise.resolve();
  }
}

const app = new Application([["/", Echo]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  compression: { threshold: 0 },
});
app.listen({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`ready ${port}`),
});
