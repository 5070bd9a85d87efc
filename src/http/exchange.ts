/**
 * One plain HTTP request and its response.
 *
 * @module
 */
import { HttpError, Refusal, WebSocketClosedError } from "../errors.ts";
import { caught, isThenable } from "../guard.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { BodyFraming, hasBody } from "./body_framing.ts";
import { refusalResponse, statusOf } from "./error_response.ts";
import type { Fetch } from "./fetch.ts";
import { type BodySource, RequestBody } from "./request_body.ts";
import { drop, MICROTASKS, ResponseBody } from "./response_body.ts";
import {
  fetchedHead,
  fieldsOf,
  isBodiless,
  type ResponseFields,
  wantsKeepAlive,
} from "./response_fields.ts";
import type { ResponseWriter } from "./response_writer.ts";
import { ServedRequest } from "./served_request.ts";

/**
 * - `fetch`: waiting for the setting `fetch`, or for the first piece of its response
 * - `response`: sending the response
 * - `dropping`: the response is sent; the rest of the request's body is dropped
 * - `over`: the exchange is complete, or the connection is closed or will be
 */
type State = "fetch" | "response" | "dropping" | "over";

const EMPTY = new Uint8Array(0);

/** One request and its response. */
export class HttpExchange implements BodySource {
  readonly #writer: ResponseWriter;
  readonly #head: RequestHead;
  readonly #fetch: Fetch;
  /** The body of the request; `null` if it has none. */
  readonly #body: RequestBody | null;
  #request: ServedRequest | null = null;
  /** The body of the response. */
  #source: ResponseBody | null = null;
  #state: State = "fetch";
  /** Whether the client waits for `100 Continue` before it sends the body. */
  #expectsContinue: boolean;
  /** Whether another request may follow. */
  #keepAlive: boolean;
  /** Whether the client has sent FIN. */
  #clientEnded = false;
  /** Whether the application is waiting for the body of the request. */
  #isWaiting = false;
  /** The status of the response. Set when the response begins. */
  #status: number | undefined = undefined;

  /**
   * @param writer Has the request and sends the response.
   * @param fetch The setting `fetch`.
   * @throws {Refusal} See {@linkcode BodyFraming}; and 417 if the client expects anything but
   * `100-continue`.
   */
  constructor(writer: ResponseWriter, fetch: Fetch) {
    const { head } = writer;
    this.#writer = writer;
    this.#head = head;
    this.#fetch = fetch;
    const framing = hasBody(head) ? new BodyFraming(head, writer.maxBodySize) : null;
    this.#expectsContinue = expectsContinue(head) && framing?.complete === false;
    this.#keepAlive = wantsKeepAlive(head);
    this.#body = framing === null ? null : new RequestBody(framing, this);
  }

  // --- The request ------------------------------------------------------------------------------

  /** Calls the setting `fetch`, and sends its response. */
  async start(): Promise<void> {
    // `handshakeTimeout` limits the client, not the application.
    if (this.#isOver) return;
    if (!this.#clientEnded) this.#writer.stopTimer();
    try {
      const request = this.#request = this.#makeRequest();
      if (this.#clientEnded) ServedRequest.abort(request);
      const fetched = this.#fetch(request, this.#writer.info);
      const response = isThenable(fetched) ? await fetched : fetched;
      const { body } = response;
      if (this.#isOver) return drop(body);
      // Before the head is sent: this throws if the application has already read the body.
      const source = this.#source = body === null ? null : new ResponseBody(body);
      const fields = this.#fieldsOf(response);
      const bodiless = isBodiless(this.#head.method, response.status);
      if (source !== null && !bodiless) {
        source.readAhead();
        for (let i = 0; i < MICROTASKS && source.state === "reading"; i++) await undefined;
        if (source.state === "failed") await source.read();
      }
      if (this.#isOver) return;
      const chunked = this.#sendHead(response, fields, bodiless);
      if (bodiless) source?.cancel();
      else if (source?.isWhole(fields.length)) {
        // In the same turn as the head, so that both are sent in one write.
        this.#writePiece(source.takeFirst() ?? EMPTY, false);
      } else if (source !== null) await this.#sendBody(source, fields.length, chunked);
      if (!this.#isOver) this.#complete();
    } catch (error) {
      this.#fail(error);
    }
  }

  #makeRequest(): ServedRequest {
    const { method } = this.#head;
    const stream = this.#body?.stream ?? null;
    if (method !== "GET" && method !== "HEAD") return this.#writer.toRequest(stream);
    // The body of a GET has no meaning (RFC 9110 §9.3.1), and a `Request` cannot have one.
    if (stream !== null) this.#body?.drop();
    return this.#writer.toRequest(null);
  }

  /**
   * Receives bytes of the request's body.
   *
   * @param owned Whether a reference to them may be kept.
   * @returns The bytes after the body.
   */
  data(chunk: Uint8Array, owned: boolean): Uint8Array {
    if (this.#body === null) return chunk;
    // A client that sends its body without waiting needs no `100 Continue`.
    if (chunk.length > 0) this.#expectsContinue = false;
    let rest: Uint8Array;
    try {
      rest = this.#body.data(chunk, owned);
    } catch (error) {
      this.#failByClient(error);
      return chunk.subarray(chunk.length);
    }
    if (this.#state === "dropping") this.#goOnDropping();
    return rest;
  }

  /** See {@linkcode BodySource.maxQueuedSize}. */
  get maxQueuedSize(): number {
    return this.#writer.maxQueuedSize;
  }

  /** See {@linkcode BodySource.pause}. */
  pause(): void {
    this.#writer.pause();
  }

  /** See {@linkcode BodySource.resume}. */
  resume(): void {
    this.#writer.resume();
  }

  /** See {@linkcode BodySource.waiting}. */
  waiting(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      this.#writer.writeText("HTTP/1.1 100 Continue\r\n\r\n");
    }
    this.#isWaiting = true;
    this.#writer.startTimer();
  }

  /** See {@linkcode BodySource.arrived}. */
  arrived(): void {
    this.#isWaiting = false;
    this.#writer.stopTimer();
  }

  // --- Events of the connection -----------------------------------------------------------------

  /**
   * Handles the client's FIN. An incomplete body is refused with 400. Otherwise, we cannot know whether
   * the client still reads. So the signal of the request aborts, and more output must follow within
   * `handshakeTimeout`.
   */
  end(): void {
    if (this.#body?.complete === false) {
      this.#failByClient(
        new Refusal(400, "the request's body is incomplete", { reason: "request" }),
      );
    } else if (this.#state === "fetch" || this.#state === "response") {
      this.#clientEnded = true;
      this.#writer.startTimer();
      if (this.#request !== null) ServedRequest.abort(this.#request);
    }
  }

  /** Handles the end of `handshakeTimeout`. A client that reads the response gets more time. */
  timedOut(): void {
    if (this.#writer.isProgressing) this.#writer.startTimer();
    else if (this.#body?.complete !== false) this.#writer.abort();
    else {
      this.#failByClient(new Refusal(408, "the request took too long", { reason: "timeout" }));
    }
  }

  /** Ends the exchange after an error of the client. */
  #failByClient(error: unknown): void {
    this.#body?.fail(error);
    if (this.#state === "response") this.#writer.abort();
    else if (this.#state === "dropping") this.#finish(false);
    else this.#fail(error);
  }

  /** Stops. Called when the connection is closed, or will close after the written bytes. */
  gone(): void {
    const isAnswered = this.#state === "dropping" || this.#state === "over";
    this.#state = "over";
    this.#source?.cancel();
    this.#body?.fail(new WebSocketClosedError("Cannot read the body: the connection is closed"));
    if (isAnswered) return;
    if (this.#request !== null) ServedRequest.abort(this.#request);
    this.#writer.ended(this.#status, false);
  }

  /** A getter, since TypeScript assumes that a field keeps its value across an `await`. */
  get #isOver(): boolean {
    return this.#state === "over";
  }

  // --- The response -----------------------------------------------------------------------------

  #fieldsOf(response: Response): ResponseFields {
    const { status, body } = response;
    if (status < 200) {
      throw new RangeError(`Cannot send a response with status ${status}: must be 200 to 599`);
    }
    const fields = fieldsOf(response);
    const { length } = fields;
    if (body === null && length && !isBodiless(this.#head.method, status)) {
      throw notAsLong(0, length);
    }
    return fields;
  }

  /** @returns Whether the body is chunked. */
  #sendHead(response: Response, fields: ResponseFields, bodiless: boolean): boolean {
    const { length } = fields;
    const known = this.#source === null ? 0 : this.#source.length;
    const chunked = !bodiless && length === undefined && known === undefined &&
      this.#head.httpVersion === "1.1";
    const hasEnd = bodiless || chunked || (length ?? known) !== undefined;
    this.#decideOnKeepAlive(hasEnd && !fields.wantsClose);
    const head = fetchedHead(response, fields, {
      date: this.#writer.date,
      length: bodiless || length !== undefined ? undefined : known,
      chunked,
      connection: this.#connectionField(),
    });
    this.#state = "response";
    this.#status = response.status;
    this.#writer.writeText(head);
    return chunked;
  }

  /** @param isAllowed Whether the response itself lets the connection go on. */
  #decideOnKeepAlive(isAllowed: boolean): void {
    // A client that got no `100 Continue` may send its body or another request. We cannot tell which
    // (RFC 9110 §10.1.1).
    if (
      !isAllowed || this.#writer.isStopping || this.#expectsContinue ||
      (this.#body?.isRead === false && this.#body.isTooLongToDrop)
    ) this.#keepAlive = false;
    if (this.#expectsContinue) this.#body?.drop(unread());
  }

  #connectionField(): "close" | "keep-alive" | undefined {
    if (!this.#keepAlive) return "close";
    return this.#head.httpVersion === "1.0" ? "keep-alive" : undefined;
  }

  async #sendBody(
    source: ResponseBody,
    length: number | undefined,
    chunked: boolean,
  ): Promise<void> {
    let size = 0;
    for (
      // In the same turn as the head, so that both are sent in one write.
      let piece = source.takeFirst() ?? await source.read();
      piece !== undefined;
      piece = await source.read()
    ) {
      if (this.#isOver) return;
      size += piece.length;
      if (length !== undefined && size > length) {
        // The client would read surplus bytes as another response. Send the head before closing.
        await this.#writer.ready();
        throw notAsLong(size, length);
      }
      this.#writePiece(piece, chunked);
      // Without output, nothing shows that the client is still there.
      if (piece.length > 0) await this.#drained();
      else await this.#writer.ready();
      if (this.#isOver) return;
    }
    if (this.#isOver) return;
    if (length !== undefined && size < length) throw notAsLong(size, length);
    if (chunked) this.#writer.writeText("0\r\n\r\n");
  }

  #writePiece(piece: Uint8Array, chunked: boolean): void {
    // An empty chunk would end the body (RFC 9112 §7.1).
    const framed = chunked && piece.length > 0;
    if (framed) this.#writer.writeText(`${piece.length.toString(16)}\r\n`);
    this.#writer.write(piece);
    if (framed) this.#writer.writeText("\r\n");
  }

  /** Waits until more can be written. A client that reads nothing has `handshakeTimeout`. */
  async #drained(): Promise<void> {
    const writer = this.#writer;
    if (!writer.isCongested && !this.#clientEnded) return await writer.ready();
    writer.startTimer();
    await writer.ready();
    if (!this.#isWaiting && !this.#clientEnded) writer.stopTimer();
  }

  /** Called when the whole response is written. */
  #complete(): void {
    const body = this.#body;
    this.#state = "dropping";
    this.#source = null;
    this.#writer.ended(this.#status, true);
    // The next request follows the rest of the body.
    if (body?.complete === false) {
      body.drop(unread());
      this.#writer.startTimer();
    } else body?.resume();
    this.#goOnDropping();
  }

  #goOnDropping(): void {
    const body = this.#body;
    if (body === null || body.complete) this.#finish(this.#keepAlive);
    else if (!this.#keepAlive || body.isTooLongToDrop) this.#finish(false);
  }

  #fail(thrown: unknown): void {
    const writer = this.#writer;
    const error = caught(thrown);
    const isLate = this.#state === "over" || this.#state === "dropping";
    if (this.#isForLog(error)) writer.report(error);
    if (isLate) return;
    // The client must see that the response is incomplete.
    if (this.#state === "response") return writer.abort();
    this.#source?.cancel();
    const response = refusalResponse(error, writer, writer.date);
    this.#state = "over";
    this.#status = statusOf(response);
    writer.writeText(response);
    writer.ended(this.#status, true);
    this.#finish(false);
  }

  #isForLog(error: unknown): boolean {
    if (error instanceof WebSocketClosedError) return false;
    if (this.#request !== null && ServedRequest.isAbort(this.#request, error)) return false;
    // An HttpError is for the client. After the head was sent, it can only be logged.
    return !(error instanceof HttpError) || this.#state === "response";
  }

  #finish(keepAlive: boolean): void {
    this.#state = "over";
    this.#writer.stopTimer();
    this.#writer.finish(keepAlive);
  }
}

/** Whether a client waits for `100 Continue`. @throws {Refusal} 417 for another expectation. */
function expectsContinue(head: RequestHead): boolean {
  const expect = head.get("expect");
  // RFC 9110 §10.1.1: an expectation in a request of HTTP/1.0 must be ignored.
  if (expect === undefined || head.httpVersion === "1.0") return false;
  if (expect.toLowerCase() === "100-continue") return true;
  throw new Refusal(417, "only the expectation 100-continue is known (RFC 9110 §10.1.1)", {
    reason: "request",
  });
}

function unread(): TypeError {
  return new TypeError("Cannot read the body of the request: the response is already sent");
}

function notAsLong(size: number, length: number): RangeError {
  const sent = size > length ? `${size} bytes or more` : `${size} bytes`;
  return new RangeError(
    `Cannot send a body of ${sent}: its Content-Length is ${length} (RFC 9112 §6.3)`,
  );
}
