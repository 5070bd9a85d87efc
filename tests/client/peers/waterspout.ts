/**
 * Our own echo server. Runs on each runtime, and prints `ready PORT`. It supports every version,
 * compression, and the subprotocols `chat` and `superchat`. The message `close` closes with
 * 4000.
 *
 * @module
 */
import { Application, WebSocketHandler } from "../../../mod.ts";
import { messageLimit, reportClose, reportMessage } from "./reporter.ts";

class Echo extends WebSocketHandler {
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    return offered.find((name) => name === "chat" || name === "superchat");
  }

  onMessage(message: string | Uint8Array): Promise<void> {
    reportMessage(this.request.url, message);
    if (message !== "close") return this.writeMessage(message);
    this.close(4000, "as you wish");
    return Promise.resolve();
  }

  override onClose(): void {
    // The code of the first close frame that was received, 1006 if there was none (RFC 6455 §7.1.5).
    const { by, code, reason } = this.ended ?? { by: "network", code: 1006, reason: "" };
    if (by === "peer") reportClose(this.request.url, code, reason);
    else reportClose(this.request.url, 1006);
  }
}

const app = new Application([["/", Echo]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  compression: { threshold: 0 },
  maxMessageSize: messageLimit,
});
app.listen({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`ready ${port}`),
});
