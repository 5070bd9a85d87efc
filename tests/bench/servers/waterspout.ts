/**
 * The server that load generators and suites are pointed at: `waterspout.ts PORT [--deflate]`.
 *
 * `/` echoes each message in its own type; `/fan` sends each to all on `/fan`. Every version, any
 * origin, messages up to 64 MiB; prints `ready`.
 */
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";

class Echo extends WebSocketHandler {
  override checkOrigin(): boolean {
    return true;
  }
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

class Fan extends Echo {
  override open(): void {
    this.subscribe("fan");
  }
  override onMessage(message: string | Uint8Array): void {
    this.application.publish("fan", message);
  }
}

const [port, ...flags] = process.argv.slice(2);
const app = new Application([["/", Echo], ["/fan", Fan]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  maxMessageSize: 64 * 1024 * 1024,
  maxBufferedAmount: 256 * 1024 * 1024,
  pingInterval: 0,
  compression: flags.includes("--deflate") ? { threshold: 0 } : undefined,
});
app.listen({ port: Number(port), hostname: "127.0.0.1", onListen: () => console.log("ready") });
