/**
 * Plain HTTP on the same port: one request and one response, then the connection closes.
 *
 * @module
 */
import { HttpError, Refusal, WebSocketClosedError } from "../errors.ts";
import { encodeLatin1 } from "../handshake/latin1.ts";
import { caught, guard } from "../guard.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { responseHead } from "../handshake/head_writer.ts";
import type { Fetch } from "./fetch.ts";
import { BodyReader } from "./body_reader.ts";
import { refusalResponse, statusOf } from "./error_response.ts";
import { reasonPhrase } from "./reason_phrases.ts";
import type { ResponseWriter } from "./response_writer.ts";

/** Fields about the connection, which the application may not set (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const encoder = new TextEncoder();

/** The request and the response of one connection. */
export class HttpExchange {
  readonly #writer: ResponseWriter;
  readonly #head: RequestHead;
  readonly #fetch: Fetch;
  readonly #body: BodyReader;
  /** Reads the body of the response. Set after the head was sent. */
  #source: ReadableStreamDefaultReader<Uint8Array> | null = null;
  /** The status of the response. Set when the response begins. */
  #status: number | undefined = undefined;
  /** Whether the whole response was written. */
  #complete = false;
  /** Whether the client has sent FIN. */
  #clientEnded = false;
  /**
   * - `request`: receiving the body of the request
   * - `fetch`: waiting for the setting `fetch`
   * - `response`: sending the response
   * - `over`: the request was answered or refused, or the connection is closed
   */
  #state: "request" | "fetch" | "response" | "over" = "request";

  /**
   * Sends `100 Continue` if the client waits for it.
   *
   * @param writer Has the request and sends the response.
   * @param fetch The setting `fetch`.
   * @throws {Refusal} See {@linkcode BodyReader}.
   */
  constructor(writer: ResponseWriter, fetch: Fetch) {
    const { head } = writer;
    this.#writer = writer;
    this.#head = head;
    this.#fetch = fetch;
    this.#body = new BodyReader(head, writer.maxBodySize);
    const expects = head.get("expect")?.toLowerCase() === "100-continue";
    // RFC 9110 §10.1.1: not to a client of HTTP/1.0.
    if (expects && !this.#body.complete && head.httpVersion === "1.1") {
      writer.write(encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
    }
  }

  /** Reads a part of the body of the request. Ignores bytes after the body. */
  data(chunk: Uint8Array): void {
    if (this.#state !== "request") return;
    try {
      this.#body.read(chunk);
    } catch (error) {
      return this.#fail(error);
    }
    if (!this.#body.complete) return;
    this.#state = "fetch";
    void this.#answer();
  }

  /**
   * Handles the client's FIN. Half a body is refused with 400. Otherwise the client may have left, or
   * may still read: only output would tell. So it waits for output `handshakeTimeout` at most.
   */
  end(): void {
    if (this.#state === "request") {
      this.#fail(new Refusal(400, "the request's body is incomplete", { reason: "request" }));
    } else if (!this.#isOver) {
      this.#clientEnded = true;
      this.#writer.startTimer();
    }
  }

  /** Handles the end of `handshakeTimeout`. A client that reads the response gets more time. */
  timedOut(): void {
    if (this.#state === "request") {
      this.#fail(new Refusal(408, "the request took too long", { reason: "timeout" }));
    } else if (this.#writer.isProgressing()) this.#writer.startTimer();
    else this.#writer.abort();
  }

  /** Stops. Called when the connection is closed, or will close after the written bytes. */
  gone(): void {
    this.#state = "over";
    if (this.#source !== null) drop(this.#source);
    this.#writer.ended(this.#status, this.#complete);
  }

  async #answer(): Promise<void> {
    // `handshakeTimeout` limits the client, not the application.
    this.#writer.stopTimer();
    // Without output, only TCP finds out that the client's machine has vanished.
    this.#writer.keepAlive();
    try {
      const response = await this.#fetch(this.#makeRequest());
      if (this.#isOver) return drop(response.body);
      await this.#send(response);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A getter, since TypeScript assumes that a field keeps its value across an `await`. */
  get #isOver(): boolean {
    return this.#state === "over";
  }

  #makeRequest(): Request {
    const request = this.#writer.toRequest();
    const { method } = this.#head;
    const body = this.#body.bytes;
    // The body of a GET has no meaning (RFC 9110 §9.3.1), and a `Request` cannot have one.
    if (body.length === 0 || method === "GET" || method === "HEAD") return request;
    return new Request(request, { body });
  }

  async #send(response: Response): Promise<void> {
    const { status, body } = response;
    if (status < 200) {
      throw new RangeError(`Cannot send a response with status ${status}: must be 200 to 599`);
    }
    const bodiless = this.#head.method === "HEAD" || status === 204 || status === 304;
    const length = lengthOf(response);
    if (body === null && !bodiless && length) throw notAsLong(0, length);
    const sized = length !== undefined;
    const chunked = body !== null && !sized && !bodiless && this.#head.httpVersion === "1.1";
    const fields = fieldsOf(response);
    if (body === null && !sized && !bodiless) fields.push(["content-length", "0"]);
    if (chunked) fields.push(["transfer-encoding", "chunked"]);
    fields.push(["connection", "close"]);
    const head = encodeLatin1(
      responseHead(status, response.statusText || reasonPhrase(status), fields),
    );
    // Before the head is sent: this throws if the application has already read the body.
    const source = body?.getReader() ?? null;
    this.#state = "response";
    this.#status = status;
    this.#write(head);
    if (source !== null && bodiless) drop(source);
    else if (source !== null) await this.#sendBody(source, length, chunked);
    if (!this.#isOver) this.#finish();
  }

  async #sendBody(
    source: ReadableStreamDefaultReader<Uint8Array>,
    length: number | undefined,
    chunked: boolean,
  ): Promise<void> {
    this.#source = source;
    let size = 0;
    for (;;) {
      const { done, value } = await source.read();
      if (this.#isOver) return;
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(
          `Cannot send a response: its body must give Uint8Arrays, got ${typeof value}`,
        );
      }
      size += value.length;
      // The client would read the surplus as the beginning of another response.
      if (length !== undefined && size > length) throw notAsLong(size, length);
      // An empty chunk would end the body (RFC 9112 §7.1).
      const framed = chunked && value.length > 0;
      if (framed) this.#write(encoder.encode(`${value.length.toString(16)}\r\n`));
      this.#write(value);
      if (framed) this.#write(encoder.encode("\r\n"));
      // Without output, nothing shows that the client is still there.
      await (value.length > 0 ? this.#drained() : this.#writer.ready());
      if (this.#isOver) return;
    }
    this.#source = null;
    if (length !== undefined && size < length) throw notAsLong(size, length);
    if (chunked) this.#write(encoder.encode("0\r\n\r\n"));
  }

  /** Waits until more can be written. A client that reads nothing has `handshakeTimeout`. */
  async #drained(): Promise<void> {
    this.#writer.startTimer();
    await this.#writer.ready();
    if (!this.#clientEnded) this.#writer.stopTimer();
  }

  #write(bytes: Uint8Array): void {
    this.#writer.write(bytes);
  }

  #fail(thrown: unknown): void {
    const writer = this.#writer;
    const error = caught(thrown);
    const isLate = this.#isOver;
    // An HttpError is for the client. After the head was sent, only the log can have it.
    const isAnswer = error instanceof HttpError && this.#state !== "response";
    if (!isAnswer && !(error instanceof WebSocketClosedError)) writer.report(error);
    if (isLate) return;
    // The client must see that the response is incomplete.
    if (this.#state === "response") return writer.abort();
    this.#state = "over";
    const response = refusalResponse(error, writer);
    this.#status = statusOf(response);
    this.#write(encodeLatin1(response));
    this.#finish();
  }

  #finish(): void {
    this.#complete = true;
    this.#writer.finish();
  }
}

/** Cancels a stream that nobody will read. Errors of `cancel` are ignored. */
function drop(stream: Pick<ReadableStream, "cancel"> | null): void {
  guard((): unknown => stream?.cancel("nobody reads it"), () => {});
}

/**
 * Returns the value of the `Content-Length` that the application set; `undefined` if there is none.
 *
 * @throws {TypeError} If it is not one decimal number.
 */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  if (length === null) return undefined;
  if (!/^\d{1,15}$/.test(length)) {
    throw new TypeError(
      `Cannot send Content-Length ${JSON.stringify(length)}: must be one decimal number ` +
        "(RFC 9110 §8.6)",
    );
  }
  return Number(length);
}

function notAsLong(size: number, length: number): RangeError {
  const sent = size > length ? `${size} bytes or more` : `${size} bytes`;
  return new RangeError(
    `Cannot send a body of ${sent}: its Content-Length is ${length} (RFC 9112 §6.3)`,
  );
}

/** Returns the fields of the application, without those that it may not set. */
function fieldsOf({ headers, status }: Response): [name: string, value: string][] {
  const fields: [name: string, value: string][] = [];
  for (const [name, value] of headers) {
    // RFC 9110 §8.6: no Content-Length in a 204.
    if (!CONNECTION_FIELDS.has(name) && (status !== 204 || name !== "content-length")) {
      fields.push([name, value]);
    }
  }
  return fields;
}
