/**
 * The setting `fetch`.
 *
 * @module
 */

/**
 * Answers plain HTTP requests on the port of the WebSocket server: the type of the setting `fetch`.
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
export type Fetch = (request: Request) => Response | Promise<Response>;
