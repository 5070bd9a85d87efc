/**
 * Plain HTTP on the same port: one request, one response, and the connection ends.
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
import { reasonOf } from "./reasons.ts";
import type { ResponseWriter } from "./response_writer.ts";

/** Fields that belong to the connection, which is ours to speak for (RFC 9110 §7.6.1). */
const OURS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const encoder = new TextEncoder();

/** The exchange of one connection. */
export class HttpExchange {
  readonly #writer: ResponseWriter;
  readonly #head: RequestHead;
  readonly #fetch: Fetch;
  readonly #body: BodyReader;
  /** Where the response's body comes from, once its head is sent. */
  #source: ReadableStreamDefaultReader<Uint8Array> | null = null;
  /** The status of the response, once there is one. */
  #status: number | undefined = undefined;
  /** Whether the whole response was written. */
  #complete = false;
  /**
   * - `request`: the request's body is arriving;
   * - `fetch`: the application has the request;
   * - `response`: the response is on its way;
   * - `over`: it is all written, or refused, or the client is gone.
   */
  #state: "request" | "fetch" | "response" | "over" = "request";

  /**
   * @param writer Where the response goes, and what it answers.
   * @param fetch What answers it.
   * @throws {HttpError} If the request's framing is not sound.
   */
  constructor(writer: ResponseWriter, fetch: Fetch) {
    const { head } = writer;
    this.#writer = writer;
    this.#head = head;
    this.#fetch = fetch;
    this.#body = new BodyReader(head, writer.maxBodySize);
    const expects = head.get("expect")?.toLowerCase() === "100-continue";
    // A client of HTTP/1.0 knows no interim responses (RFC 9110 §10.1.1).
    if (expects && !this.#body.complete && head.httpVersion === "1.1") {
      writer.write(encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
    }
  }

  /** Takes bytes of the request's body; what is behind it is dropped. */
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

  /** The client sends nothing more. */
  end(): void {
    if (this.#state === "request") {
      this.#fail(new Refusal(400, "the request's body is cut off", { reason: "request" }));
    }
  }

  /** The connection's time is up. */
  timedOut(): void {
    if (this.#state === "request") {
      this.#fail(new Refusal(408, "the request took too long", { reason: "timeout" }));
    } else if (this.#writer.isProgressing()) this.#writer.startTimer();
    else this.#writer.abort();
  }

  /** The connection is over. */
  gone(): void {
    this.#state = "over";
    if (this.#source !== null) drop(this.#source);
    this.#writer.ended(this.#status, this.#complete);
  }

  async #answer(): Promise<void> {
    // From here on the time is the application's, not the client's.
    this.#writer.stopTimer();
    try {
      const response = await this.#fetch(this.#makeRequest());
      if (this.#isOver) return drop(response.body);
      await this.#send(response);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** As a method: for the compiler, the state does not change while something is awaited. */
  get #isOver(): boolean {
    return this.#state === "over";
  }

  #makeRequest(): Request {
    const request = this.#writer.toRequest();
    const { method } = this.#head;
    const body = this.#body.bytes;
    // A GET may have a body, which has no meaning (RFC 9110 §9.3.1) and no place in a Request.
    if (body.length === 0 || method === "GET" || method === "HEAD") return request;
    return new Request(request, { body });
  }

  async #send(response: Response): Promise<void> {
    const { status, body } = response;
    if (status < 200) throw new RangeError(`Cannot answer with status ${status}: it is no answer`);
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
      responseHead(status, response.statusText || reasonOf(status), fields),
    );
    // Before the head is out: it throws where the application has used the body already.
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
        throw new TypeError(`Cannot send ${typeof value}: a response's body is of Uint8Arrays`);
      }
      size += value.length;
      // The client would take what is beyond for the beginning of another response.
      if (length !== undefined && size > length) throw notAsLong(size, length);
      // An empty chunk would end the body (RFC 9112 §7.1). Nothing is sent, but it counts as a write.
      const framed = chunked && value.length > 0;
      if (framed) this.#write(encoder.encode(`${value.length.toString(16)}\r\n`));
      this.#write(value);
      if (framed) this.#write(encoder.encode("\r\n"));
      await this.#drained();
      if (this.#isOver) return;
    }
    this.#source = null;
    if (length !== undefined && size < length) throw notAsLong(size, length);
    if (chunked) this.#write(encoder.encode("0\r\n\r\n"));
  }

  /** A client that takes nothing of the response for `handshakeTimeout` is cut off. */
  async #drained(): Promise<void> {
    this.#writer.startTimer();
    await this.#writer.ready();
    this.#writer.stopTimer();
  }

  #write(bytes: Uint8Array): void {
    this.#writer.write(bytes);
  }

  #fail(thrown: unknown): void {
    const writer = this.#writer;
    const error = caught(thrown);
    const isLate = this.#isOver;
    // A refusal tells the client, unless it comes too late for that.
    const isTold = error instanceof HttpError && this.#state !== "response";
    if (!isTold && !(error instanceof WebSocketClosedError)) writer.report(error);
    if (isLate) return;
    // Half a response must not pass for a whole one.
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

/** Lets the owner of a stream know that nobody reads it; what its `cancel` throws is its own. */
function drop(stream: Pick<ReadableStream, "cancel"> | null): void {
  guard((): unknown => stream?.cancel("nobody reads it"), () => {});
}

/**
 * The length that the application's own `Content-Length` says; `undefined` if it has none.
 *
 * @throws {TypeError} If it is not one decimal number.
 */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get("content-length");
  if (length === null) return undefined;
  if (!/^\d{1,15}$/.test(length)) {
    throw new TypeError(
      `Cannot send the Content-Length ${JSON.stringify(length)}: not one decimal number ` +
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

/** The fields that the application may set. */
function fieldsOf({ headers, status }: Response): [name: string, value: string][] {
  const fields: [name: string, value: string][] = [];
  for (const [name, value] of headers) {
    // RFC 9110 §8.6: no Content-Length in a 204.
    if (!OURS.has(name) && (status !== 204 || name !== "content-length")) {
      fields.push([name, value]);
    }
  }
  return fields;
}
