/**
 * Plain HTTP on the same port: one request, one response, and the connection ends.
 *
 * @module
 */
import type { Connection } from "../connection.ts";
import { HttpError } from "../errors.ts";
import { writeLatin1 } from "../handshake/latin1.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { responseHead } from "../handshake/response.ts";
import type { Fetch } from "../settings.ts";
import { BodyReader } from "./body_reader.ts";

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

/** The reason phrases of the refusals that this module and the handshake send (RFC 9110 §15). */
const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

const encoder = new TextEncoder();

/** The response that tells why a request was refused. */
export function errorResponse(error: HttpError): string {
  const reason = `${error.message}\n`.replace(/[^\n -~]/g, "?");
  const fields: [string, string][] = [];
  for (const field of error.headers) fields.push(field);
  fields.push(["content-type", "text/plain; charset=utf-8"]);
  fields.push(["content-length", `${reason.length}`]);
  if (!error.headers.has("connection")) fields.push(["connection", "close"]);
  return responseHead(error.status, REASONS[error.status] ?? "", fields) + reason;
}

/** The exchange of one connection. */
export class HttpExchange {
  readonly #connection: Connection;
  readonly #head: RequestHead;
  readonly #fetch: Fetch;
  readonly #body: BodyReader;
  #response: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #answering = false;
  #over = false;

  /**
   * @param connection The connection.
   * @param head The request.
   * @param fetch What answers it.
   * @throws {HttpError} If the request's framing is not sound.
   */
  constructor(connection: Connection, head: RequestHead, fetch: Fetch) {
    this.#connection = connection;
    this.#head = head;
    this.#fetch = fetch;
    this.#body = new BodyReader(head, connection.core.settings.maxBodySize);
    if (head.get("expect")?.toLowerCase() === "100-continue" && !this.#body.complete) {
      connection.writeRaw(encoder.encode("HTTP/1.1 100 Continue\r\n\r\n"));
    }
  }

  /** Takes bytes of the request's body; what is behind it is dropped. */
  data(chunk: Uint8Array): void {
    if (this.#answering || this.#over) return;
    try {
      this.#body.read(chunk);
    } catch (error) {
      return this.#refuse(error);
    }
    if (!this.#body.complete) return;
    this.#answering = true;
    void this.#answer();
  }

  /** The client sends nothing more. */
  end(): void {
    if (!this.#answering) this.#refuse(new HttpError(400, "the request's body is cut off"));
  }

  /** Output that waited has gone out. */
  drain(): void {}

  /** The connection is gone. */
  gone(): void {
    this.#over = true;
    // The stream's owner hears of it through its `cancel`; what that throws is its own affair.
    this.#response?.cancel("the client is gone").catch(() => {});
  }

  async #answer(): Promise<void> {
    const { core } = this.#connection;
    // From here on the time is the application's, not the client's.
    core.wheel.remove(this.#connection);
    try {
      const request = this.#connection.toRequest();
      const body = this.#body.bytes;
      const response = await this.#fetch(
        body.length === 0 ? request : new Request(request, { body: body as BodyInit }),
      );
      if (!this.#over) await this.#send(response);
    } catch (error) {
      if (!this.#over) this.#refuse(error);
    }
  }

  async #send(response: Response): Promise<void> {
    const fields: [string, string][] = [];
    for (const [name, value] of response.headers) {
      if (!OURS.has(name)) fields.push([name, value]);
    }
    fields.push(["connection", "close"]);
    const { status, body } = response;
    const bodiless = this.#head.method === "HEAD" || status === 204 || status === 304;
    const sized = response.headers.has("content-length");
    if (body === null && !sized && !bodiless) fields.push(["content-length", "0"]);
    const chunked = body !== null && !sized && !bodiless && this.#head.httpVersion === "1.1";
    if (chunked) fields.push(["transfer-encoding", "chunked"]);
    this.#write(latin1(responseHead(status, response.statusText, fields)));
    if (body !== null && bodiless) await body.cancel();
    else if (body !== null) await this.#sendBody(body.getReader(), chunked);
    if (!this.#over) this.#connection.leave();
  }

  async #sendBody(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    chunked: boolean,
  ): Promise<void> {
    this.#response = reader;
    for (;;) {
      const { done, value } = await reader.read();
      if (this.#over) return;
      if (done) break;
      if (value.length === 0) continue;
      if (chunked) this.#write(encoder.encode(`${value.length.toString(16)}\r\n`));
      this.#write(value);
      if (chunked) this.#write(encoder.encode("\r\n"));
      await this.#drained();
    }
    this.#response = null;
    if (chunked) this.#write(encoder.encode("0\r\n\r\n"));
  }

  /** A client that does not take the response within `handshakeTimeout` is cut off. */
  async #drained(): Promise<void> {
    const { core } = this.#connection;
    core.wheel.set(this.#connection, core.settings.handshakeTimeout);
    await this.#connection.drained();
    core.wheel.remove(this.#connection);
  }

  #write(bytes: Uint8Array): void {
    this.#connection.writeRaw(bytes);
  }

  #refuse(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    if (!(error instanceof HttpError)) this.#connection.report(error);
    const refusal = error instanceof HttpError ? error : new HttpError(500, "internal error");
    if (this.#response === null) this.#write(latin1(errorResponse(refusal)));
    this.#connection.leave();
  }
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeLatin1(text, bytes);
  return bytes;
}
