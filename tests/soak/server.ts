/**
 * The server of the soak test: `server.ts PORT PING_INTERVAL`, in milliseconds. `/` echoes, `/counts` returns the counters.
 *
 * @module
 */
import { readdirSync } from "node:fs";
import process from "node:process";
import { Application, WebSocketHandler } from "../../mod.ts";
import { collectGarbage } from "../support/collect.ts";

let opened = 0;
let closed = 0;

/** Echoes. `throw` throws, and a text that begins with `slow` is echoed later. */
class Echo extends WebSocketHandler {
  override checkOrigin(): boolean {
    return true;
  }
  override open(): void {
    opened++;
  }
  override onMessage(message: string | Uint8Array): void | Promise<void> {
    if (message === "throw") throw new Error("asked to");
    if (typeof message === "string" && message.startsWith("slow")) return this.#later(message);
    this.writeMessage(message);
  }
  async #later(message: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.writeMessage(message);
  }
  override onClose(): void {
    closed++;
  }
  override logException(error: unknown): void {
    if (!String(error).includes("asked to")) console.log("unexpected", error);
  }
}

function counts(): object {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  const descriptors = readdirSync("/proc/self/fd").length;
  return { opened, closed, memory: heapUsed + external, descriptors };
}

const app = new Application([["/", Echo]], {
  versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
  pingInterval: Number(process.argv[3]),
  // The process of the clients may be busy for seconds.
  pingTimeout: 20_000,
  closeTimeout: 1000,
  maxBufferedAmount: 64 * 1024 * 1024,
  fetch: () => Response.json(counts()),
});

app.listen({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`ready ${port}`),
});
