/**
 * A stand-in for the HTTP server of a runtime: reads the head of a request from a simulated network, and
 * hands over a socket of `node:http`, or a stream of `node:http2`. The frames of HTTP/2 are not
 * simulated: the head of its response is written as one of HTTP/1.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Application } from "../../src/server/application.ts";
import type { UpgradeSocket } from "../../src/transport/attach.ts";
import type { Http2ServerStream, Http2StreamSession } from "../../src/transport/http2_types.ts";
import type { MemoryTransport } from "../../src/transport/memory.ts";
import type { TransportEvents } from "../../src/transport/transport.ts";
import { latin1Bytes, latin1Text } from "../support/bytes.ts";
import type { PlannedClient } from "./plan.ts";

type Listener = (argument: unknown) => void;
type WriteCallback = (error?: Error | null) => void;
type Arrival = Exclude<PlannedClient["arrival"], "listener">;

/** The streams of Node emit a `Buffer`, whose `slice` makes a view and no copy. */
function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** How much a stream of Node reads ahead while it is paused, in bytes. */
const READ_AHEAD = 65_536;

/**
 * What sockets and streams have in common, as in a stream of Node: events, writes with callbacks, and
 * reading ahead. A stream that is paused in the event of its last chunk still emits `end`.
 */
class Duplex {
  destroyed = false;
  readableEnded = false;
  /** Whether the peer has reset the connection. */
  aborted = false;
  protected readonly transport: MemoryTransport;
  readonly #acceptsAll: boolean;
  readonly #listeners = new Map<string, Listener[]>();
  /** Callbacks of writes that the system has not accepted. */
  #writes: WriteCallback[] = [];
  /** What was read ahead, and its size in bytes. */
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  /** The first listener of `data` starts the reading. */
  #reading: "new" | "flowing" | "paused" = "new";
  /** Whether FIN was read, and `end` is due or was emitted. */
  #isLast = false;
  #endIsDue = false;
  /** Whether the transport is closed. `close` comes after `end`. */
  #isClosed = false;

  /** @param acceptsAll Whether the system accepts any number of bytes at once. */
  constructor(transport: MemoryTransport, acceptsAll = false) {
    this.transport = transport;
    this.#acceptsAll = acceptsAll;
    transport.events = {
      data: (chunk) => this.#read(chunk),
      drain: () => this.drained(),
      end: () => {
        this.#isLast = true;
        this.#endIfRead();
      },
      closed: (error) => {
        this.#isClosed = true;
        if (error !== undefined) this.#reset(error);
        else if (this.destroyed || this.readableEnded || !this.#isLast) this.#close();
      },
    };
  }

  on(event: string, listener: Listener): void {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
    if (event === "data" && this.#reading === "new") this.resume();
  }

  #emit(event: string, argument?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener.call(this, argument);
  }

  #reset(error: Error): void {
    this.aborted = true;
    this.#emit("error", error);
    this.#close();
  }

  #close(): void {
    this.destroyed = true;
    this.#emit("close");
  }

  get writableLength(): number {
    return this.transport.bufferedAmount;
  }

  /** Writes bytes. The system has accepted them if they are in flight. */
  write(bytes: Uint8Array, callback?: WriteCallback): boolean {
    this.transport.write(bytes, false);
    if (callback !== undefined) this.#writes.push(callback);
    if (this.#isAccepted) queueMicrotask(() => this.#accepted());
    return this.#isAccepted;
  }

  get #isAccepted(): boolean {
    return this.#acceptsAll || this.transport.bufferedAmount === 0;
  }

  /** Nothing waits any more. */
  protected drained(): void {
    this.#accepted();
  }

  #accepted(): void {
    if (!this.#isAccepted || this.destroyed) return;
    for (const callback of this.#writes.splice(0)) callback(null);
  }

  end(): void {
    this.transport.end();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    if (this.#isClosed) queueMicrotask(() => this.#close());
    else this.transport.destroy();
  }

  // --- Reading ----------------------------------------------------------------------------------

  #read(chunk: Uint8Array): void {
    if (this.#reading === "flowing" && this.#size === 0) this.#emit("data", bufferOf(chunk));
    else this.hold(this.transport.transfersChunks ? chunk : chunk.slice());
  }

  /** Adds bytes that are emitted later, such as those that were read with the head. */
  hold(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#size >= READ_AHEAD) this.transport.pause();
  }

  #flow(): void {
    while (this.#reading === "flowing" && !this.destroyed) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.#size -= chunk.length;
      this.#endIfRead();
      this.#emit("data", bufferOf(chunk));
      if (!this.transport.transfersChunks) chunk.fill(0xee);
    }
    if (this.#size < READ_AHEAD) this.transport.resume();
    this.#endIfRead();
  }

  #endIfRead(): void {
    const isRead = this.#isLast && this.#size === 0 && this.#reading === "flowing";
    if (!isRead || this.#endIsDue) return;
    this.#endIsDue = true;
    queueMicrotask(() => {
      if (this.destroyed) return;
      this.readableEnded = true;
      this.#emit("end");
      if (this.#isClosed && !this.destroyed) this.#close();
    });
  }

  pause(): void {
    this.#reading = "paused";
  }

  resume(): void {
    if (this.#reading === "flowing") return;
    this.#reading = "flowing";
    queueMicrotask(() => this.#flow());
  }
}

/** A socket of an `upgrade` event. */
class SimulatedSocket extends Duplex implements UpgradeSocket {
  allowHalfOpen = false;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;

  constructor(transport: MemoryTransport) {
    super(transport);
    const { remoteAddress, localAddress } = transport;
    this.remoteAddress = remoteAddress.hostname;
    this.remotePort = remoteAddress.port;
    this.localAddress = localAddress.hostname;
    this.localPort = localAddress.port;
  }
}

/** A stream of a `stream` event, in a session of its own. */
class SimulatedStream extends Duplex implements Http2ServerStream {
  closed = false;
  headersSent = false;
  readonly endAfterHeaders = false;
  readonly session: Http2StreamSession;
  /** The listeners of the socket's `drain`. */
  readonly #onDrain: Listener[] = [];

  constructor(transport: MemoryTransport, isQueued: boolean) {
    super(transport, isQueued);
    const { remoteAddress: { hostname, port } } = transport;
    const socket = {
      remoteAddress: hostname,
      remotePort: port,
      get writableLength(): number {
        return isQueued ? transport.bufferedAmount : 0;
      },
      on: (_event: string, listener: Listener) => void this.#onDrain.push(listener),
    };
    this.session = { encrypted: false, socket };
  }

  protected override drained(): void {
    super.drained();
    for (const listener of this.#onDrain) listener(undefined);
  }

  respond(fields: Record<string, string | string[]>): void {
    const { ":status": status, ...rest } = fields;
    this.headersSent = true;
    // A client of HTTP/1 expects 101.
    const lines = [`HTTP/1.1 ${status === "200" ? "101" : status} of HTTP/2`];
    for (const [name, value] of Object.entries(rest)) lines.push(`${name}: ${value}`);
    this.transport.write(latin1Bytes([...lines, "", ""].join("\r\n")), false);
  }

  close(): void {
    this.closed = true;
    this.destroy();
  }
}

/** Reads the head of a request, then hands its connection to an application. */
class Front implements TransportEvents {
  readonly #app: Application;
  readonly #transport: MemoryTransport;
  readonly #arrival: Arrival;
  #text = "";

  constructor(app: Application, transport: MemoryTransport, arrival: Arrival) {
    this.#app = app;
    this.#transport = transport;
    this.#arrival = arrival;
    transport.events = this;
  }

  data(chunk: Uint8Array): void {
    this.#text += latin1Text(chunk);
    const end = this.#text.indexOf("\r\n\r\n");
    if (end === -1) return;
    const [line = "", ...fields] = this.#text.slice(0, end).split("\r\n");
    const rest = latin1Bytes(this.#text.slice(end + 4));
    const [method = "", url = ""] = line.split(" ");
    const rawHeaders = fields.flatMap((field) => {
      const colon = field.indexOf(": ");
      return [field.slice(0, colon), field.slice(colon + 2)];
    });
    if (this.#arrival === "upgrade") {
      const socket = new SimulatedSocket(this.#transport);
      this.#app.handleUpgrade({ method, url, httpVersion: "1.1", rawHeaders }, socket, rest);
    } else this.#handOverStream(url, rawHeaders, rest);
  }

  #handOverStream(path: string, rawHeaders: readonly string[], rest: Uint8Array): void {
    const fields: Record<string, string> = {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":authority": "localhost",
      ":path": path,
    };
    for (let at = 0; at < rawHeaders.length; at += 2) {
      const name = rawHeaders[at]?.toLowerCase() ?? "";
      if (name.startsWith("sec-websocket-") && name !== "sec-websocket-key") {
        fields[name] = rawHeaders[at + 1] ?? "";
      }
    }
    const stream = new SimulatedStream(this.#transport, this.#arrival === "queued stream");
    this.#app.handleStream(stream, fields);
    if (rest.length > 0) stream.hold(rest);
  }

  drain(): void {}

  end(): void {
    this.#transport.destroy();
  }

  closed(): void {}
}

/** Accepts a connection as an HTTP server does, for an application. */
export function acceptInFront(
  app: Application,
  transport: MemoryTransport,
  arrival: Arrival,
): void {
  transport.events = new Front(app, transport, arrival);
}
