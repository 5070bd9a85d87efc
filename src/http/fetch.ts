/**
 * The setting `fetch`.
 *
 * @module
 */
import type { Address } from "../transport/transport.ts";

/**
 * The second argument of the setting `fetch`: what a `Request` does not tell.
 *
 * @example
 * ```ts
 * import { Application } from "@waterspout/websocket";
 * import type { FetchInfo } from "@waterspout/websocket";
 *
 * function greet(_request: Request, { remoteAddr, secure }: FetchInfo): Response {
 *   return new Response(`${remoteAddr.hostname} over ${secure ? "TLS" : "TCP"}\n`);
 * }
 * const app = new Application([], { fetch: greet });
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * console.assert(await response.text() === "127.0.0.1 over TCP\n");
 * ```
 */
export interface FetchInfo {
  /** The address of the client. Behind a trusted proxy, the address that the proxy reports. */
  readonly remoteAddr: Address;
  /** Whether the client uses TLS, to this server or to a trusted proxy. */
  readonly secure: boolean;
}

/**
 * Answers plain HTTP requests on the port of the WebSocket server: the type of the setting `fetch`.
 *
 * It is called when the head of a request has arrived. The body is a stream. The signal of the request
 * aborts if the client leaves before it has the response.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application } from "@waterspout/websocket";
 * import type { Fetch } from "@waterspout/websocket";
 *
 * const fetch: Fetch = (request) =>
 *   new URL(request.url).pathname === "/health"
 *     ? new Response("well\n")
 *     : new Response("Not found\n", { status: 404 });
 * const app = new Application([], { fetch });
 * await using server = app.listen({ port: 0, hostname: "127.0.0.1" });
 * const response = await globalThis.fetch(`http://127.0.0.1:${server.addr.port}/health`);
 * assert(await response.text() === "well\n");
 * ```
 */
export type Fetch = (request: Request, info: FetchInfo) => Response | Promise<Response>;
