/**
 * A server that reads and writes messages as streams, and tells how much memory it took at the most:
 * `streams.ts`. It prints its port. `/up` answers a message with a line about it. `/down?mebibytes=N`
 * answers a message with one of that size in pieces, and then the line.
 */
import process from "node:process";
import { setImmediate } from "node:timers";
import { Application, type MessageStream, WebSocketHandler } from "../../../mod.ts";
import { MIB, PIECE } from "../stream_server.ts";

/** Samples the memory now and then. */
class Meter {
  bytes = 0;
  #first = 0;
  #peak = 0;

  /** Counts a piece. The first 16 MiB are for what a runtime grows to in any case. */
  add(bytes: number): void {
    const before = this.bytes;
    this.bytes += bytes;
    if (Math.floor(before / MIB) === Math.floor(this.bytes / MIB)) return;
    const { rss } = process.memoryUsage();
    if (this.bytes >= 16 * MIB) this.#first ||= rss;
    this.#peak = Math.max(this.#peak, rss);
  }

  toString(): string {
    const grown = Math.max(0, Math.round((this.#peak - this.#first) / MIB));
    return `${this.bytes} bytes, ${grown} MiB grown, ${Math.round(this.#peak / MIB)} MiB in all`;
  }
}

class Up extends WebSocketHandler {
  override async onMessageStream(stream: MessageStream): Promise<void> {
    const meter = new Meter();
    for await (const piece of stream) {
      meter.add(piece.length);
      // The handler is slower than the client.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.writeMessage(`${meter}`);
  }
  onMessage(): void {}
}

class Down extends WebSocketHandler {
  /** The client asks when it is ready to read pieces. */
  async onMessage(): Promise<void> {
    const meter = new Meter();
    await this.writeMessage(this.#pieces(Number(this.getArgument("mebibytes")), meter));
    await this.writeMessage(`${meter}`);
  }
  async *#pieces(mebibytes: number, meter: Meter): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < mebibytes * MIB / PIECE.length; i++) {
      meter.add(PIECE.length);
      yield await Promise.resolve(PIECE);
    }
  }
}

const app = new Application([["/up", Up], ["/down", Down]], {
  maxMessageSize: Infinity,
  maxFragments: Infinity,
  compression: {},
  pingInterval: 0,
});
app.listen({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`port ${port}`),
});
