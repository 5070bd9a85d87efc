/**
 * A transport with only the members that the interface requires, like one written by a user.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { websocketConnect } from "../../src/client/mod.ts";
import { Application } from "../../src/server/application.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import type { Address, Transport, TransportEvents } from "../../src/transport/transport.ts";
import { VERSIONS } from "../support/rig.ts";

/** Forwards to another transport. Overwrites each chunk when `data` returns. */
class Foreign implements Transport {
  events: TransportEvents = { data() {}, drain() {}, end() {}, closed() {} };
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
    inner.events = {
      data: (chunk) => {
        const own = chunk.slice();
        this.events.data(own);
        own.fill(0xee);
      },
      drain: () => this.events.drain(),
      end: () => this.events.end(),
      closed: (error) => this.events.closed(error),
    };
  }
  get bufferedAmount(): number {
    return this.#inner.bufferedAmount;
  }
  get remoteAddress(): Address {
    return this.#inner.remoteAddress;
  }
  get localAddress(): Address {
    return this.#inner.localAddress;
  }
  get secure(): boolean {
    return this.#inner.secure;
  }
  write(bytes: Uint8Array, stable: boolean): void {
    this.#inner.write(bytes, stable);
  }
  pause(): void {
    this.#inner.pause();
  }
  resume(): void {
    this.#inner.resume();
  }
  end(): void {
    this.#inner.end();
  }
  destroy(): void {
    this.#inner.destroy();
  }
  setNoDelay(on: boolean): void {
    this.#inner.setNoDelay(on);
  }
  setKeepAlive(on: boolean, delay?: number): void {
    this.#inner.setKeepAlive(on, delay);
  }
}

describe("a transport of somebody else's", () => {
  class Echo extends WebSocketHandler {
    async onMessage(message: string | Uint8Array): Promise<void> {
      await Promise.resolve();
      await this.writeMessage(message);
    }
  }

  for (const version of VERSIONS) {
    for (const split of [1, 7, Infinity]) {
      test(`serves and connects, ${split} bytes at a time (${version})`, async () => {
        const app = new Application([["/", Echo]], { versions: VERSIONS, pingInterval: 0 });
        const [server, client] = memoryPair({ split, transfersChunks: false });
        app.accept(new Foreign(server));
        const connection = await websocketConnect("ws://localhost/", {
          version,
          transport: new Foreign(client),
          pingInterval: 0,
        });
        const messages: (string | Uint8Array)[] = ["first", "x".repeat(1000), "caf\u00e9"];
        if (!version.startsWith("draft")) {
          messages.push(Uint8Array.of(1, 2, 3), new Uint8Array(500));
        }
        for (const message of messages) connection.writeMessage(message);
        for (const message of messages) assertEquals(await connection.readMessage(), message);
        connection.close();
        await connection.closed;
      });
    }
  }
});
