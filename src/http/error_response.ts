/**
 * The responses that tell why a request was refused.
 *
 * @module
 */
import { HttpError, Refusal } from "../errors.ts";
import type { RequestHead } from "../handshake/request_head.ts";
import { responseHead } from "../handshake/head_writer.ts";
import { reasonOf } from "./reasons.ts";

/** Fields that a refusal may not set: they say where its body ends. */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "connection"]);

/**
 * The response that tells why a request was refused.
 *
 * @param error The refusal.
 * @param bodiless Whether it answers a HEAD, so that only the head is sent (RFC 9110 §9.3.2).
 * @throws {TypeError} If a field of the refusal cannot be sent.
 */
export function errorResponse(error: HttpError, bodiless = false): string {
  const reason = `${error.message}\n`.replaceAll("§", "section ").replace(/[^\n -~]/g, "?");
  const { headers } = error;
  const fields: [string, string][] = [];
  for (const field of headers) if (!FRAMING.has(field[0])) fields.push(field);
  if (!headers.has("content-type")) fields.push(["content-type", "text/plain; charset=utf-8"]);
  fields.push(["content-length", `${reason.length}`]);
  const connection = headers.get("connection");
  fields.push(["connection", connection === null ? "close" : `${connection}, close`]);
  const head = responseHead(error.status, reasonOf(error.status), fields);
  return bodiless ? head : head + reason;
}

/** The status of a response that {@linkcode errorResponse} or the like has made. */
export function statusOf(response: string): number {
  return Number(response.slice("HTTP/1.1 ".length).slice(0, 3));
}

/** Whom a failed request belongs to. */
interface Failed {
  readonly head: RequestHead | null;
  report(error: unknown): void;
}

/** The response to a request that failed: the refusal that was thrown, or a 500. */
export function refusalResponse(error: unknown, failed: Failed): string {
  const bodiless = failed.head?.method === "HEAD";
  if (error instanceof HttpError) {
    try {
      return errorResponse(error, bodiless);
    } catch (unsendable) {
      failed.report(unsendable);
    }
  }
  return errorResponse(new Refusal(500, "internal error", { reason: "error" }), bodiless);
}
