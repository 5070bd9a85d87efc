/**
 * A WebSocket client of any version at one end of a connection, usually in memory.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { Hixie } from "../../src/protocol/hixie.ts";
import { Hybi } from "../../src/protocol/hybi.ts";
import { Output } from "../../src/protocol/output.ts";
import type { Protocol, Sink } from "../../src/protocol/protocol.ts";
import { connect } from "../../src/transport/connect.ts";
import { type MemoryPairOptions, MemoryTransport } from "../../src/transport/memory.ts";
import type { ConnectorOptions, Transport } from "../../src/transport/transport.ts";
import { latin1Bytes, latin1Text } from "./bytes.ts";
import { makeRequest } from "./draft76_client.ts";
import { settle } from "./settle.ts";

export { settle };

/** How long a test waits for an event before it fails, in milliseconds. */
const PATIENCE = 60_000;

/** How to open. */
export interface OpenOptions {
  /** Path and query. Default: `/`. */
  readonly path?: string;
  /** The field `Host`. Default: `localhost`. */
  readonly host?: string;
  /** The origin; `null` for none (not in the drafts). Default: the server's origin. */
  readonly origin?: string | null;
  /** The subprotocols to offer. */
  readonly subprotocols?: readonly string[];
  /** Complete header lines to add: `"Cookie: a=b"`. */
  readonly fields?: readonly string[];
  /** How the connection's ends are joined. */
  readonly pair?: MemoryPairOptions;
}

/** What the client sends to open. */
export interface Opening {
  /** The head of the request. */
  readonly head: string;
  /** The bytes after the head (draft76's key3). */
  readonly key3: Uint8Array;
  /** The expected value of `Sec-WebSocket-Accept`; in draft76, the expected bytes after the head. */
  readonly proof: Uint8Array | string;
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  /** The status line. */
  readonly line: string;
  readonly headers: Headers;
  /** The bytes after the head, as Latin-1. */
  readonly body: string;
}

const NUMBERS: Readonly<Partial<Record<WebSocketVersion, string>>> = {
  "hybi-07": "7",
  "hybi-08": "8",
  "rfc6455": "13",
};

/** The opening handshake of a client of a version. */
export function makeOpening(version: WebSocketVersion, options: OpenOptions = {}): Opening {
  const { path = "/", host = "localhost", origin = `http://${host}`, fields = [] } = options;
  const { subprotocols = [] } = options;
  if (version === "draft76") {
    const [subprotocol] = subprotocols;
    const { head, key3, challengeResponse } = makeRequest({
      port: 80,
      url: `ws://${host}${path}`,
      origin: origin ?? "",
      ...(subprotocol === undefined ? {} : { subprotocol }),
      fields,
    });
    return { head, key3, proof: challengeResponse };
  }
  const lines = [`GET ${path} HTTP/1.1`, "Upgrade: WebSocket", "Connection: Upgrade"];
  lines.push(`Host: ${host}`);
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const originField = version === "hybi-07" || version === "hybi-08"
    ? "Sec-WebSocket-Origin"
    : "Origin";
  if (origin !== null) lines.push(`${originField}: ${origin}`);
  if (version !== "draft75") {
    lines.push(`Sec-WebSocket-Key: ${key}`, `Sec-WebSocket-Version: ${NUMBERS[version]}`);
  }
  if (subprotocols.length > 0) {
    const name = version === "draft75" ? "WebSocket-Protocol" : "Sec-WebSocket-Protocol";
    lines.push(`${name}: ${subprotocols.join(", ")}`);
  }
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  return {
    head: [...lines, ...fields, "", ""].join("\r\n"),
    key3: new Uint8Array(0),
    proof: version === "draft75" ? "" : accept.digest("base64"),
  };
}

/** One client. {@linkcode events} has a line for each thing it receives. */
export class MemoryClient {
  /** The client's end of the connection. */
  readonly transport: Transport;
  /**
   * `text …`, `binary 1,2`, `ping …`, `pong …`, `close 1000 …` (`close` without a code),
   * `FIN`, `gone` and `reset`, in the order of arrival.
   */
  readonly events: string[] = [];
  /** The answer to the opening handshake. */
  answer: Answer | undefined;
  #raw = "";
  #protocol: Protocol | null = null;
  #changed: () => void = () => {};
  readonly #sink: Sink = {
    text: (message) => this.#note(`text ${message}`),
    binary: (message) => this.#note(`binary ${message}`),
    ping: (payload) => this.#note(`ping ${latin1Text(payload)}`.trim()),
    pong: (payload) => this.#note(`pong ${latin1Text(payload)}`.trim()),
    close: (code, reason) => this.#note(`close ${code ?? ""} ${reason}`.trim()),
  };

  constructor(transport: Transport) {
    this.transport = transport;
    transport.events = {
      data: (chunk) => {
        this.#received(chunk);
        this.#changed();
      },
      drain: () => this.#changed(),
      end: () => this.#note("FIN"),
      closed: (error) => this.#note(error === undefined ? "gone" : "reset"),
    };
  }

  /** Connects by the runtime's own sockets. The test ends the connection with `reset`. */
  static async connect(where: Partial<ConnectorOptions>): Promise<MemoryClient> {
    return new MemoryClient(await connect({ hostname: "127.0.0.1", port: 0, ...where }));
  }

  /** Resolves when a condition holds. Rejects if it does not hold in time. */
  until(what: string, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(late);
        this.#changed = () => {};
      };
      const late = setTimeout(() => {
        settle();
        reject(new Error(`Cannot wait for ${what}: ${JSON.stringify(this.events)}, ${this.raw}`));
      }, PATIENCE);
      const look = () => {
        if (!isSo()) return;
        settle();
        resolve();
      };
      this.#changed = look;
      look();
    });
  }

  /** Resolves to the next event. */
  async next(): Promise<string> {
    await this.until("an event", () => this.events.length > 0);
    return this.events.shift() ?? "";
  }

  /** The bytes received before the handshake was complete, as Latin-1. */
  get raw(): string {
    return this.#raw;
  }

  /** Returns and removes the bytes received so far. */
  take(): string[] {
    return this.events.splice(0);
  }

  // --- Opening ----------------------------------------------------------------------------------

  /** Opens the connection. Rejects unless the server accepts with the right proof. */
  async open(version: WebSocketVersion, options: OpenOptions = {}): Promise<void> {
    const opening = makeOpening(version, options);
    this.write(opening.head);
    this.write(opening.key3);
    await settle();
    const size = opening.proof instanceof Uint8Array ? opening.proof.length : 0;
    const isWhole = () => this.raw.includes("\r\n\r\n") && this.parseAnswer().body.length >= size;
    if (!isWhole() && !(this.transport instanceof MemoryTransport)) {
      await this.until("the answer", () => isWhole() || this.events.length > 0);
    }
    this.begin(version, opening.proof);
  }

  /** Removes the response head from the received bytes, and speaks `version` from then on. */
  begin(version: WebSocketVersion, proof: Uint8Array | string): void {
    const answer = this.parseAnswer();
    if (answer.status !== 101) throw new Error(`Cannot open: ${JSON.stringify(this.raw)}`);
    this.answer = answer;
    let rest = answer.body;
    if (proof instanceof Uint8Array) {
      const expected = String.fromCharCode(...proof);
      if (rest.slice(0, 16) !== expected) throw new Error("The challenge response is wrong");
      rest = rest.slice(16);
    } else if (version !== "draft75" && answer.headers.get("sec-websocket-accept") !== proof) {
      throw new Error("Sec-WebSocket-Accept is wrong");
    }
    const limits = { maxMessageSize: 2 ** 30, maxFragments: 2 ** 20 };
    this.#protocol = version === "draft75" || version === "draft76"
      ? new Hixie(limits, { version })
      : new Hybi(limits, { role: "client", version });
    const later = this.take();
    this.#received(latin1Bytes(rest));
    this.events.push(...later);
  }

  /** The HTTP response in the bytes received so far. */
  parseAnswer(): Answer {
    const end = this.#raw.indexOf("\r\n\r\n");
    const [line = "", ...lines] = this.#raw.slice(0, Math.max(end, 0)).split("\r\n");
    const headers = new Headers();
    for (const field of lines) {
      const colon = field.indexOf(":");
      headers.append(field.slice(0, colon), field.slice(colon + 1));
    }
    const status = Number(line.split(" ")[1] ?? 0);
    return { status, line, headers, body: end === -1 ? "" : this.#raw.slice(end + 4) };
  }

  // --- Sending ----------------------------------------------------------------------------------

  /** Sends bytes, or text as Latin-1. */
  write(data: Uint8Array | string): void {
    this.transport.write(typeof data === "string" ? latin1Bytes(data) : data, false);
  }

  /** The bytes that a call of the protocol writes. */
  encode(write: (protocol: Protocol, output: Output) => void): Uint8Array {
    if (this.#protocol === null) throw new Error("The client is not open");
    const output = new Output();
    write(this.#protocol, output);
    return output.take();
  }

  /** Sends a message. */
  send(message: string | Uint8Array): void {
    this.write(this.encode((protocol, output) => {
      if (typeof message === "string") protocol.writeText(output, message);
      else protocol.writeBinary(output, message);
    }));
  }

  /** Sends a ping. */
  ping(payload: Uint8Array): void {
    this.write(this.encode((protocol, output) => protocol.writePing(output, payload)));
  }

  /** Sends a pong. */
  pong(payload: Uint8Array): void {
    this.write(this.encode((protocol, output) => protocol.writePong(output, payload)));
  }

  /** Sends the close frame. */
  close(code?: number, reason = ""): void {
    this.write(this.encode((protocol, output) => protocol.writeClose(output, code, reason)));
  }

  /** Sends FIN. */
  end(): void {
    this.transport.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.transport.destroy();
  }

  // --- Receiving --------------------------------------------------------------------------------

  #received(chunk: Uint8Array): void {
    if (this.#protocol !== null) this.#protocol.receive(chunk, false, this.#sink);
    else this.#raw += latin1Text(chunk);
  }

  #note(event: string): boolean {
    this.events.push(event);
    this.#changed();
    return true;
  }
}
