/**
 * Responses that refuse a request.
 *
 * @module
 */
import { HttpError, Refusal } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { responseHead } from "../handshake/head_writer.ts";
import { reasonPhrase } from "./reason_phrases.ts";

/** Fields that frame the body. An `HttpError` may not set them. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "connection"]);

/** What a refused request is answered with, in any version of HTTP. */
export interface ErrorContent {
  /** The header fields, with the length of the body. */
  readonly fields: [name: string, value: string][];
  /** The body, in ASCII. */
  readonly body: string;
}

/** Makes the content of the response to a refused request: the message of the error. */
export function errorContent({ message, headers }: HttpError): ErrorContent {
  const body = `${message}\n`.replaceAll("§", "section ").replace(/[^\n -~]/g, "?");
  const fields: [string, string][] = [];
  for (const field of headers) if (!FRAMING.has(field[0])) fields.push(field);
  if (!headers.has("content-type")) fields.push(["content-type", "text/plain; charset=utf-8"]);
  fields.push(["content-length", `${body.length}`]);
  return { fields, body };
}

/**
 * Makes the response to a refused request. Its body is the message of the error.
 *
 * @param error The refusal.
 * @param options.date The value of `Date`. Default: none, which is right for 5xx only (RFC 9110 §6.6.1).
 * @param options.bodiless Whether to leave out the body, as for a HEAD request (RFC 9110 §9.3.2).
 * Default: false.
 * @throws {TypeError} If a field of the error is malformed.
 */
export function errorResponse(
  error: HttpError,
  { date, bodiless = false }: { readonly date?: string; readonly bodiless?: boolean } = {},
): string {
  const { fields, body } = errorContent(error);
  if (date !== undefined && !error.headers.has("date")) fields.push(["date", date]);
  const connection = error.headers.get("connection");
  fields.push(["connection", connection === null ? "close" : `${connection}, close`]);
  const head = responseHead(error.status, reasonPhrase(error.status), fields);
  return bodiless ? head : head + body;
}

/** Returns the status of a response that starts with `HTTP/1.1`. */
export function statusOf(response: string): number {
  return Number(response.slice("HTTP/1.1 ".length).slice(0, 3));
}

/** The connection of a failed request. */
interface FailedConnection {
  /** The request head; `null` if it is incomplete. */
  readonly head: RequestHead | null;
  /** Logs an error of the application. */
  report(error: unknown): void;
}

/** Makes the response to a failed request: that of an `HttpError`, or a 500. It closes the connection. */
export function refusalResponse(
  error: unknown,
  connection: FailedConnection,
  date: string,
): string {
  const options = { date, bodiless: connection.head?.method === "HEAD" };
  return makeRefusal(error, connection, (refusal) => errorResponse(refusal, options));
}

/**
 * Makes the response to a failed request, in any version of HTTP.
 *
 * @param make Makes the response to an `HttpError`. It throws if a field is malformed.
 */
export function makeRefusal<Response>(
  error: unknown,
  connection: Pick<FailedConnection, "report">,
  make: (error: HttpError) => Response,
): Response {
  if (error instanceof HttpError) {
    try {
      return make(error);
    } catch (unsendable) {
      connection.report(unsendable);
    }
  }
  return make(new Refusal(500, "internal error", { reason: "error" }));
}
