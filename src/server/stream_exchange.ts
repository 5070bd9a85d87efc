/**
 * Plain HTTP on a stream of HTTP/2: the same exchange as on HTTP/1.1, whose heads and chunks are
 * translated.
 *
 * @module
 */
import { cork, uncork } from "../connection/cork.ts";
import { streamResponse } from "../handshake/extended_connect.ts";
import { encodeLatin1 } from "../handshake/latin1.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import type { Fetch } from "../http/fetch.ts";
import { HttpExchange } from "../http/exchange.ts";
import type { Link } from "../timing/timing_wheel.ts";
import type { Http2ServerStream } from "../transport/http2.ts";
import { endSocket, type OpeningPhase } from "./opening.ts";
import { type PlainConnection, PlainResponse } from "./plain_response.ts";
import type { ServerConnection } from "./server_connection.ts";

/** Sends the response on a stream. */
class StreamResponse extends PlainResponse {
  readonly #stream: Http2ServerStream;

  constructor(stream: Http2ServerStream, ...args: ConstructorParameters<typeof PlainResponse>) {
    super(...args);
    this.#stream = stream;
  }

  /** Translates a head of HTTP/1.1, and what follows it. */
  override writeText(text: string): void {
    const end = text.indexOf("\r\n\r\n");
    const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
    const status = Number(statusLine.slice("HTTP/1.1 ".length).slice(0, 3));
    const fields = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
    // A client of HTTP/2 sends its body even without a 100.
    if (status < 200) return;
    const { closed, destroyed } = this.#stream;
    if (!closed && !destroyed) this.#stream.respond(streamResponse(status, fields));
    const body = text.slice(end + 4);
    if (body !== "") this.write(encodeLatin1(body));
  }
}

/** What a {@linkcode StreamExchange} is about. */
export interface PlainRequest {
  /** The stream. */
  readonly stream: Http2ServerStream;
  /** The request. */
  readonly head: RequestHead;
  /** The setting `fetch`. */
  readonly fetch: Fetch;
}

/** One request on a stream, and its response. */
export class StreamExchange implements OpeningPhase, PlainConnection {
  /** See {@linkcode Timed}. */
  deadline = 0;
  /** See {@linkcode Timed}. */
  before: Link | null = null;
  /** See {@linkcode Timed}. */
  after: Link | null = null;
  /** See {@linkcode PlainConnection.heldSize}. */
  readonly heldSize = 0;
  readonly #connection: ServerConnection;
  readonly #exchange: HttpExchange;
  /** Whether the exchange expects a chunked body. */
  readonly #chunked: boolean;
  /** How many bytes of a body with a length have not arrived. */
  #missing: number;
  #isOver = false;
  #paused = false;

  /** @throws {Refusal} See `HttpExchange`. */
  constructor(connection: ServerConnection, { stream, head, fetch }: PlainRequest) {
    this.#connection = connection;
    this.#chunked = head.get("transfer-encoding") !== undefined;
    this.#missing = Number(head.get("content-length") ?? "0");
    this.#exchange = new HttpExchange(new StreamResponse(stream, connection, head, this), fetch);
  }

  /** Calls the setting `fetch`, and sends its response. */
  start(): void {
    void this.#exchange.start();
  }

  /** See {@linkcode OpeningPhase.setHeader}. */
  setHeader(name: string): void {
    throw new TypeError(`Cannot set header ${name}: no handshake has begun`);
  }

  // --- Events of the transport ------------------------------------------------------------------

  /** See {@linkcode TransportEvents.data}. */
  data(chunk: Uint8Array): void {
    cork();
    try {
      this.#connection.writer.environment.traffic.bytesIn += chunk.length;
      this.#missing -= chunk.length;
      if (!this.#isOver) {
        this.#exchange.data(this.#chunked ? chunkOf(chunk) : new Uint8Array(chunk), true);
      }
    } finally {
      uncork();
    }
  }

  /** See {@linkcode TransportEvents.drain}. */
  drain(): void {
    this.#connection.writer.drain();
  }

  /** See {@linkcode TransportEvents.end}: the request is complete. */
  end(): void {
    if (this.#isOver) return;
    if (this.#chunked) this.#exchange.data(encodeLatin1("0\r\n\r\n"), true);
    else if (this.#missing > 0) this.#exchange.end();
  }

  /** See {@linkcode TransportEvents.closed}. */
  closed(): void {
    this.#leave();
    this.#connection.gone();
  }

  // --- What the exchange does with its connection -----------------------------------------------

  /** See {@linkcode PlainConnection.pause}. */
  pause(): void {
    this.#paused = true;
    this.#connection.transport.pause();
  }

  /** See {@linkcode PlainConnection.resume}. */
  resume(): void {
    this.#paused = false;
    this.#connection.transport.resume();
  }

  /** See {@linkcode PlainConnection.finishExchange}. */
  finishExchange(): void {
    this.#connection.writer.flush();
    if (this.#leave()) endSocket(this.#connection, this.#paused);
  }

  /** See {@linkcode OpeningPhase.abort}. */
  abort(): void {
    const { transport } = this.#connection;
    if (this.#leave()) endSocket(this.#connection, this.#paused);
    transport.destroy();
  }

  /** See {@linkcode Timed.expire}. */
  expire(): void {
    this.#exchange.timedOut();
  }

  /** See {@linkcode OpeningPhase.shutdown}: the response is still sent. */
  shutdown(): void {}

  /** Ends the exchange. @returns False if it had ended before. */
  #leave(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#connection.context.wheel.remove(this);
    this.#exchange.gone();
    this.#connection.refused();
    return true;
  }
}

/** Makes a chunk of HTTP/1.1 (RFC 9112 §7.1). */
function chunkOf(bytes: Uint8Array): Uint8Array {
  const size = encodeLatin1(`${bytes.length.toString(16)}\r\n`);
  const chunk = new Uint8Array(size.length + bytes.length + 2);
  chunk.set(size);
  chunk.set(bytes, size.length);
  chunk.set([13, 10], chunk.length - 2);
  return chunk;
}
