/**
 * The header fields of a response of the setting `fetch`, and how its body is framed (RFC 9112 §6).
 *
 * @module
 */
import { listHasToken } from "../handshake/grammar.ts";
import { fieldLine, statusLine } from "../handshake/head_writer.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { reasonPhrase } from "./reason_phrases.ts";

/** Connection-specific fields, which the application must not set (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether the request allows to keep the connection after the response (RFC 9112 §9.3). */
export function wantsKeepAlive(head: RequestHead): boolean {
  const connection = head.get("connection");
  if (connection === undefined) return head.httpVersion === "1.1";
  if (listHasToken(connection, "close")) return false;
  return head.httpVersion === "1.1" || listHasToken(connection, "keep-alive");
}

/** Whether the response must not have a body, whatever its fields say (RFC 9112 §6.3). */
export function isBodiless(method: string, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/** The fields that the application has set. */
export interface ResponseFields {
  /** The lines of the fields that are sent as they are. */
  lines: string;
  /** The value of `Content-Length`. */
  length: number | undefined;
  /** Whether the connection shall end after the response. */
  wantsClose: boolean;
  /** Whether there is a `Date`. */
  hasDate: boolean;
}

/**
 * Reads the fields of a response, each once.
 *
 * @throws {TypeError} If a field is malformed, or `Content-Length` is not one decimal number.
 */
export function fieldsOf({ headers, status }: Response): ResponseFields {
  const read: ResponseFields = { lines: "", length: undefined, wantsClose: false, hasDate: false };
  // On Deno and Bun, the iterator of a `Headers` takes two to three times as long.
  headers.forEach((value, name) => {
    if (name === "connection") read.wantsClose = listHasToken(value, "close");
    if (CONNECTION_FIELDS.has(name)) return;
    if (name === "date") read.hasDate = true;
    if (name === "content-length") read.length = parseLength(value);
    // RFC 9110 §8.6: no Content-Length in a 204.
    if (name !== "content-length" || status !== 204) read.lines += fieldLine(name, value);
  });
  return read;
}

function parseLength(length: string): number {
  if (!/^\d{1,15}$/.test(length)) {
    throw new TypeError(
      `Cannot send Content-Length ${JSON.stringify(length)}: must be one decimal number ` +
        "(RFC 9110 §8.6)",
    );
  }
  return Number(length);
}

/** The fields that we add to those of the application. */
export interface ResponseFraming {
  /** The value of `Date`, unless the application sets it. */
  readonly date: string;
  /** The value of `Content-Length`, if it is not the application's. */
  readonly length?: number | undefined;
  /** Whether the body is chunked. */
  readonly chunked: boolean;
  /** The value of `Connection`, if it is sent. */
  readonly connection: "close" | "keep-alive" | undefined;
}

/** Makes the head of a response. @throws {TypeError} If the reason phrase is malformed. */
export function fetchedHead(
  response: Response,
  { lines, hasDate }: ResponseFields,
  { date, length, chunked, connection }: ResponseFraming,
): string {
  const { status, statusText } = response;
  let head = statusLine(status, statusText || reasonPhrase(status)) + lines;
  if (!hasDate) head += `date: ${date}\r\n`;
  if (length !== undefined) head += `content-length: ${length}\r\n`;
  if (chunked) head += "transfer-encoding: chunked\r\n";
  if (connection !== undefined) head += `connection: ${connection}\r\n`;
  return `${head}\r\n`;
}
