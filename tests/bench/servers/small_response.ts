/**
 * Answers plain HTTP with a small response: `small_response.ts waterspout`, or `node` for `node:http`.
 * It prints its port. `GET /cpu` tells how many microseconds of CPU time it has used.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Application } from "../../../mod.ts";

const BODY = "Hello, world!";
const HEADERS = { "Content-Type": "text/plain" };

function cpu(): string {
  const { user, system } = process.cpuUsage();
  return `${user + system}`;
}

if (process.argv[2] === "node") {
  const server = createServer((request, response) => {
    const body = request.url === "/cpu" ? cpu() : BODY;
    response.writeHead(200, { ...HEADERS, "Content-Length": body.length });
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
} else {
  const app = new Application([], {
    fetch: (request) =>
      new Response(request.url.endsWith("/cpu") ? cpu() : BODY, { headers: HEADERS }),
  });
  app.listen({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(port) });
}
