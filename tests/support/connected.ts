/**
 * Open connections without a network: a test delivers each chunk, and sees each write.
 *
 * @module
 */
import { Application, WebSocketHandler } from "../../mod.ts";
import type { Settings } from "../../src/server/settings.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { systemClock } from "../../src/timing/clock.ts";
import { noEvents } from "../../src/transport/no_events.ts";
import type { MemoryTransport } from "../../src/transport/memory.ts";
import { memoryPair } from "../../src/transport/memory.ts";
import { makeOpening } from "./memory_client.ts";

/** Echoes, and gives itself to the test, which writes at other times. */
export class Echo extends WebSocketHandler<Echo[]> {
  override open(): void {
    this.options.push(this);
  }
  override onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** The server's end of an open connection. It accepts every write at once, and records its size. */
export class Connected {
  readonly writes: number[] = [];
  /** The bytes of the last write. */
  written: Uint8Array | undefined;
  readonly handler: Echo;
  /** Opens one more connection to the same server. */
  readonly another: () => Connected;
  readonly #transport: MemoryTransport;

  constructor(version: WebSocketVersion, app: Application, handlers: Echo[]) {
    this.another = () => new Connected(version, app, handlers);
    const [transport] = memoryPair();
    this.#transport = transport;
    transport.write = (bytes) => {
      this.writes.push(bytes.length);
      this.written = bytes;
    };
    app.accept(transport);
    const { head, key3 } = makeOpening(version);
    this.receive(new TextEncoder().encode(head));
    if (key3.length > 0) this.receive(key3);
    const handler = handlers.at(-1);
    if (handler === undefined) throw new Error("The handshake was refused");
    this.handler = handler;
    this.writes.length = 0;
  }

  /** Delivers a chunk. */
  receive(chunk: Uint8Array): void {
    this.#transport.events.data(chunk);
  }

  /** Closes the connection. */
  close(): void {
    this.#transport.events.closed();
    this.#transport.events = noEvents;
  }
}

/** Opens some connections to an echo server. Default: one, with the default settings. */
export function connected(
  version: WebSocketVersion,
  count = 1,
  others: Partial<Settings> = {},
): Connected[] {
  const handlers: Echo[] = [];
  const versions = [version];
  // Its own clock, so that output of other tests in this turn of the event loop does not count.
  const settings = { versions, pingInterval: 0, clock: { ...systemClock }, ...others };
  const app = new Application([["/", Echo, handlers]], settings);
  return Array.from({ length: count }, () => new Connected(version, app, handlers));
}
