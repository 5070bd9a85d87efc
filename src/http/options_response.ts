/**
 * The response to `OPTIONS *`, which proxies send as a health check.
 *
 * @module
 */
import { responseHead } from "../handshake/head_writer.ts";

/**
 * Makes the response of the server as a whole (RFC 9110 §9.3.7). The setting `fetch` is not called: a
 * `Request` cannot have the URL `*`, and with a 404 for `/` the health check would fail.
 *
 * @param date The value of `Date`.
 */
export function optionsResponse(date: string): string {
  return responseHead(204, "No Content", [["date", date], ["connection", "close"]]);
}
