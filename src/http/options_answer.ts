/**
 * The answer to `OPTIONS *`, with which proxies look whether a server lives.
 *
 * @module
 */
import { responseHead } from "../handshake/head_writer.ts";

/**
 * The answer of the server as a whole (RFC 9110 §9.3.7). The setting `fetch` is not asked: the URL of
 * a `Request` cannot say `*`, and a 404 for `/` would make a proxy take a live server for dead.
 */
export const OPTIONS_ANSWER: string = responseHead(204, "No Content", [["connection", "close"]]);
