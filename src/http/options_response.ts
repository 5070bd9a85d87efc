/**
 * The response to `OPTIONS *`, which proxies send as a health check.
 *
 * @module
 */
import { responseHead } from "../handshake/head_writer.ts";

/**
 * The response of the server as a whole (RFC 9110 §9.3.7). The setting `fetch` is not called: a
 * `Request` cannot have the URL `*`, and with a 404 for `/` the health check would fail.
 */
export const OPTIONS_RESPONSE: string = responseHead(204, "No Content", [["connection", "close"]]);
