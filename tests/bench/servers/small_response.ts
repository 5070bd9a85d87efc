/**
 * Answers plain HTTP with a small response: `small_response.ts KIND`.
 *
 * - `waterspout`
 * - `node`: `node:http`
 * - `node-fetch`: `node:http` with a `Request` and a `Response`, like the setting `fetch`
 * - `objects`: `node:net` with a `Request` and a `Response` for each chunk, in groups as ours, and no
 *   HTTP: it reads nothing of the request and writes a constant
 * - `transport`: the same on our transport instead of `node:net`
 * - `own`: `Bun.serve` or `Deno.serve`
 *
 * The server prints its port. `GET /cpu` returns its CPU time in microseconds.
 *
 * @module
 */
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import process from "node:process";
import { setImmediate } from "node:timers";
import { Application } from "../../../mod.ts";
import { listen as listenOnNode } from "../../../src/transport/node.ts";
import type { InternalTransport } from "../../../src/transport/transport.ts";

const BODY = "Hello, world!";
const HEADERS = { "Content-Type": "text/plain" };

/** The part of `Bun` and `Deno` that is used. */
interface Servers {
  readonly Bun?: {
    serve(options: { port: number; hostname: string; fetch: typeof respond }): { port: number };
  };
  readonly Deno?: {
    serve(
      options: { port: number; hostname: string; onListen(address: { port: number }): void },
      handler: typeof respond,
    ): unknown;
  };
}

function cpu(): string {
  const { user, system } = process.cpuUsage();
  return `${user + system}`;
}

function respond(request: Request): Response {
  return new Response(request.url.endsWith("/cpu") ? cpu() : BODY, { headers: HEADERS });
}

const plain: RequestListener = (request, response) => {
  const body = request.url === "/cpu" ? cpu() : BODY;
  response.writeHead(200, { ...HEADERS, "Content-Length": body.length });
  response.end(body);
};

const withFetch: RequestListener = async (incoming, outgoing) => {
  const { method = "GET", url, rawHeaders } = incoming;
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    headers.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""]);
  }
  const request = new Request(`http://${incoming.headers.host}${url}`, { method, headers });
  const response = respond(request);
  const body = new Uint8Array(await response.arrayBuffer());
  outgoing.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    "Content-Length": body.length,
  });
  outgoing.end(body);
};

const CONSTANT = new TextEncoder().encode(
  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Fri, 27 Nov 2026 12:00:00 GMT\r\n" +
    `Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
);

/** Makes the objects, and returns the response. */
async function onlyObjects(isCpu: boolean): Promise<Uint8Array> {
  const request = new Request("http://127.0.0.1:8080/");
  request.headers.append("Host", "127.0.0.1:8080");
  const reader = respond(request).body?.getReader();
  while (reader !== undefined && !(await reader.read()).done);
  if (!isCpu) return CONSTANT;
  const body = cpu();
  return new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function isForCpu(chunk: Uint8Array): boolean {
  return new TextDecoder().decode(chunk.subarray(0, 8)).includes("/cpu");
}

function listenForObjects(): void {
  const waiting: [Socket, Uint8Array][] = [];
  const server = createSocketServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      if (waiting.push([socket, chunk]) > 1) return;
      setImmediate(() => {
        for (const [socket, chunk] of waiting.splice(0)) {
          void onlyObjects(isForCpu(chunk)).then((bytes) => socket.write(bytes));
        }
      });
    });
  });
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

function listenOnTransport(): void {
  const accept = (transport: InternalTransport) => {
    const answer = (chunk: Uint8Array) => {
      const isCpu = isForCpu(chunk);
      const start = () => void onlyObjects(isCpu).then((bytes) => transport.write(bytes, true));
      transport.defer?.({ start });
    };
    const end = () => transport.destroy();
    transport.events = { data: answer, drain() {}, end, closed() {} };
  };
  const listener = listenOnNode({ port: 0, hostname: "127.0.0.1" }, accept);
  void listener.listening.then(() => console.log(listener.address.port));
}

function listen(listener: RequestListener): void {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
}

const options = { port: 0, hostname: "127.0.0.1" };
const onListen = ({ port }: { port: number }) => console.log(port);
switch (process.argv[2]) {
  case "node":
    listen(plain);
    break;
  case "node-fetch":
    listen(withFetch);
    break;
  case "objects":
    listenForObjects();
    break;
  case "transport":
    listenOnTransport();
    break;
  case "own": {
    const { Bun, Deno } = globalThis as Servers;
    if (Bun !== undefined) onListen(Bun.serve({ ...options, fetch: respond }));
    else Deno?.serve({ ...options, onListen }, respond);
    break;
  }
  default:
    new Application([], { fetch: respond }).listen({ ...options, onListen });
}
