/**
 * A server whose output never ends by itself: handlers that write in a loop, topics that are
 * published to in a loop, and a response from a stream that is always ready.
 *
 * - `/messages`, `/small`: awaited writes of 64 KiB, and of one byte;
 * - `/topic`: a handler that publishes to the others, and awaits its own writes;
 * - `/listen`: a subscriber of that topic;
 * - `/echo`: an echo;
 * - `GET /stream`, `/pieces`, `/empty`: a response in pieces of 64 KiB, of one byte, and of none;
 * - `GET /ended`: which of them have ended, and of what, one in a line;
 * - `GET /stop`: shuts down. Then the process must end by itself.
 */
import { Application, type Server, WebSocketHandler } from "../../../mod.ts";

const DATA = new Uint8Array(64 * 1024);
const ended: string[] = [];

/** Writes for ever. */
class Endless extends WebSocketHandler<number> {
  override async open(): Promise<void> {
    const { pathname } = new URL(this.request.url);
    try {
      const data = DATA.subarray(0, this.options);
      for (;;) await this.step(data);
    } catch (error) {
      ended.push(`${pathname} ${(error as Error).name}`);
      throw error;
    }
  }
  step(data: Uint8Array): Promise<void> {
    return this.writeMessage(data);
  }
  onMessage(): void {}
}

/** Publishes for ever. */
class Publisher extends Endless {
  override step(data: Uint8Array): Promise<void> {
    this.publish("all", data);
    return this.writeMessage("published");
  }
}

class Listener extends WebSocketHandler {
  override open(): void {
    this.subscribe("all", { whenSlow: "skip" });
  }
  onMessage(): void {}
}

class Echo extends WebSocketHandler {
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** A stream that is always ready. */
function endlessStream(pathname: string, size: number): Response {
  return new Response(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(size));
      },
      cancel() {
        ended.push(`${pathname} canceled`);
      },
    }),
  );
}

const SIZES: Readonly<Record<string, number>> = {
  "/stream": 64 * 1024,
  "/pieces": 1,
  "/empty": 0,
};

const app: Application = new Application([
  ["/messages", Endless, DATA.length],
  ["/small", Endless, 1],
  ["/topic", Publisher, DATA.length],
  ["/listen", Listener],
  ["/echo", Echo],
], {
  fetch(request) {
    const { pathname } = new URL(request.url);
    const size = SIZES[pathname];
    if (size !== undefined) return endlessStream(pathname, size);
    if (pathname === "/stop") void server.shutdown();
    const text = ended.join("\n");
    return new Response(text, { headers: { "content-length": `${text.length}` } });
  },
});

const server: Server = app.listen({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`port ${port}`),
});
