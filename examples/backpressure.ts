/**
 * Sends a large file, and reads it only as fast as the client receives it.
 *
 *     deno run --allow-net --allow-read examples/backpressure.ts [port] [file]
 *     bun run examples/backpressure.ts [port] [file]
 *     node examples/backpressure.ts [port] [file]
 *
 * Default file: the executable of the runtime, about 100 MB. Open several connections to
 * ws://localhost:8888/file and watch the memory of the server.
 */
import { createReadStream } from "node:fs";
import process from "node:process";
import { Application, WebSocketClosedError, WebSocketHandler } from "@waterspout/websocket";

const [port = "8888", file = process.execPath] = process.argv.slice(2);

class FileHandler extends WebSocketHandler {
  #sent = 0;
  #mostWaiting = 0;

  /** draft76 has no binary messages. */
  override allowDraft76(): boolean {
    return false;
  }

  override async open(): Promise<void> {
    const chunks: AsyncIterable<Uint8Array> = createReadStream(file);
    try {
      for await (const chunk of chunks) {
        // Resolves when the client has caught up. Without `await`, the whole file would wait in
        // memory.
        const taken = this.writeMessage(chunk);
        this.#mostWaiting = Math.max(this.#mostWaiting, this.bufferedAmount);
        await taken;
        this.#sent += chunk.length;
      }
      this.close(1000, "that was all");
    } catch (error) {
      // The client has closed the connection. The end of the loop has closed the file.
      if (!(error instanceof WebSocketClosedError)) throw error;
    }
  }

  onMessage(): void {}

  override onClose(): void {
    console.log(`sent ${this.#sent} bytes, of which ${this.#mostWaiting} waited at most`);
  }
}

const app = new Application([["/file", FileHandler]], { highWaterMark: 256 * 1024 });

const server = app.listen({
  port: Number(port),
  onListen: ({ port }) => console.log(`http://localhost:${port}/file`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
