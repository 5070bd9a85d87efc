/**
 * A server whose handler takes its time for each message, and which tells how much memory it took
 * at the most: `slow.ts`. It prints its port. The text `report` is answered with a line for it, and
 * `rest` with what is used once the garbage is collected, by the heap and outside of it.
 */
import process from "node:process";
import { setImmediate } from "node:timers";
import { Application, WebSocketHandler } from "../../../mod.ts";
import { collectGarbage } from "../../support/collect.ts";

let messages = 0;
let bytes = 0;
let first = 0;
let peak = 0;

class Slow extends WebSocketHandler {
  override async onMessage(message: string | Uint8Array): Promise<void> {
    if (message === "report") {
      const grown = Math.round((peak - first) / 2 ** 20);
      this.writeMessage(`${messages} messages, ${bytes} bytes, ${grown} MiB`);
      return;
    }
    if (message === "rest") {
      collectGarbage();
      const { heapUsed, external } = process.memoryUsage();
      this.writeMessage(`${Math.round((heapUsed + external) / 2 ** 20)} MiB`);
      return;
    }
    messages++;
    bytes += message.length;
    await new Promise((resolve) => setImmediate(resolve));
    const { rss } = process.memoryUsage();
    first ||= rss;
    peak = Math.max(peak, rss);
  }
}

// Otherwise, Deno opens the files for its signals half a second after its start, and panics if it cannot.
process.on("SIGINT", () => process.exit());

const app = new Application([["/", Slow]], { pingInterval: 0 });
app.listen({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`port ${port}`),
});
