/**
 * A server in memory that makes a correct handshake, and then does what a test says.
 *
 * @module
 */
import {
  type ConnectOptions,
  type WebSocketClientConnection,
  websocketConnect,
} from "../../src/client/mod.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol } from "../../src/protocol/protocol.ts";
import {
  memoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
} from "../../src/transport/memory.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { bytesOf, goodAnswer, parseRequest } from "../handshake/good_server.ts";
import { textOf } from "../handshake/support.ts";
import { settle } from "../support/settle.ts";

export { settle };

const LIMITS = { maxMessageSize: 2 ** 30, maxFragments: 2 ** 20 };

/** The server's end. {@linkcode events} has a line for each received event. */
export class FakeServer {
  readonly transport: MemoryTransport;
  /**
   * `text …`, `binary 1,2`, `ping …`, `pong …`, `close 1000 …`, `broken …`, `FIN`, `gone` and `reset`, in the
   * order of arrival.
   */
  readonly events: string[] = [];
  /** The client's clock. */
  readonly clock = new FakeClock();
  /** The request, when it has arrived. */
  request = "";
  /** How many bytes followed the request. */
  received = 0;
  /** In how many chunks they arrived. */
  chunks = 0;
  #protocol: Protocol | null = null;

  constructor(transport: MemoryTransport) {
    this.transport = transport;
    transport.events = {
      data: (chunk) => this.#received(chunk),
      drain: () => {},
      end: () => this.events.push("FIN"),
      closed: (error) => this.events.push(error === undefined ? "gone" : "reset"),
    };
  }

  /** Removes and returns the events so far. */
  take(): string[] {
    return this.events.splice(0);
  }

  /** Uses a version from now on. */
  speak(version: WebSocketVersion): void {
    this.#protocol = version === "draft75" || version === "draft76"
      ? new Hixie(LIMITS, { version })
      : new Hybi(LIMITS, { role: "server" });
  }

  #received(chunk: Uint8Array): void {
    if (this.#protocol === null) {
      this.request += textOf(chunk);
      return;
    }
    this.received += chunk.length;
    this.chunks++;
    const note = (event: string) => this.events.push(event.trim()) > 0;
    try {
      this.#protocol.receive(chunk, false, {
        text: (message) => note(`text ${message}`),
        binary: (message) => note(`binary ${message}`),
        ping: (payload) => note(`ping ${textOf(payload)}`),
        pong: (payload) => note(`pong ${textOf(payload)}`),
        close: (code, reason) => note(`close ${code ?? ""} ${reason}`),
      });
    } catch (error) {
      note(`broken ${error}`);
    }
  }

  /** Sends bytes, or text as Latin-1. */
  write(data: string | Uint8Array): void {
    this.transport.write(typeof data === "string" ? bytesOf(data) : data, false);
  }

  /** Sends the bytes that a call of the protocol writes. */
  send(write: (protocol: Protocol, output: Output) => void): void {
    if (this.#protocol === null) throw new Error("The server is not open");
    const output = new Output();
    write(this.#protocol, output);
    this.write(output.take());
  }

  /** Sends a message. */
  message(message: string | Uint8Array): void {
    this.send((protocol, output) => {
      if (typeof message === "string") protocol.writeText(output, message);
      else protocol.writeBinary(output, message);
    });
  }

  /** Sends the close frame. */
  close(code?: number, reason = ""): void {
    this.send((protocol, output) => protocol.writeClose(output, code, reason));
  }

  /** Sends FIN. */
  end(): void {
    this.transport.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.transport.destroy();
  }
}

/** A connection, and its server. */
export interface Joined {
  readonly client: WebSocketClientConnection;
  readonly server: FakeServer;
  readonly clock: FakeClock;
}

/** Connects and opens. The server's clock has the time. */
export async function open(
  options: ConnectOptions & { readonly pair?: MemoryPairOptions; readonly behind?: string } = {},
): Promise<Joined> {
  const { pair, behind = "", ...rest } = options;
  const { server, promise } = join("ws://example.com/", rest, pair);
  await settle();
  const version = options.version ?? "rfc6455";
  server.write(goodAnswer(version, parseRequest(bytesOf(server.request))) + behind);
  server.speak(version);
  return { client: await promise, server, clock: server.clock };
}

/** Connects, and sends nothing. */
export function join(
  url: string,
  options: ConnectOptions = {},
  pair: MemoryPairOptions = {},
): { server: FakeServer; promise: Promise<WebSocketClientConnection> } {
  const [near, far] = memoryPair(pair);
  const server = new FakeServer(far);
  const promise = websocketConnect(url, { clock: server.clock, ...options, transport: near });
  promise.catch(() => {});
  return { server, promise };
}
