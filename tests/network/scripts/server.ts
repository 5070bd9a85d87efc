/**
 * A server that prints the events of its connections: `server.ts ADDRESS SETTINGS`, with the settings
 * as JSON. To a client that sends `pour`, it sends 256 KiB every 100 ms.
 */
import process from "node:process";
import { Application, WebSocketHandler } from "../../../mod.ts";
import type { Settings } from "../../../src/server/settings.ts";

class Telling extends WebSocketHandler {
  #pouring: ReturnType<typeof setInterval> | undefined;

  override open(): void {
    console.log(`open ${this.version}`);
  }

  onMessage(message: string): void {
    console.log(`message ${message}`);
    if (message !== "pour") return;
    this.#pouring = setInterval(() => void this.writeMessage("x".repeat(2 ** 18)), 100);
  }

  override onClose(): void {
    clearInterval(this.#pouring);
    console.log(`closed ${this.version}`);
  }
}

const [hostname = "", settings = "{}"] = process.argv.slice(2);
new Application([["/", Telling]], JSON.parse(settings) as Partial<Settings>).listen({
  hostname,
  port: 8888,
  onListen: () => console.log("listening"),
});
