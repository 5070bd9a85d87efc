/**
 * Listeners of users who own the server: the runtime's listener, and the function of the runtime's
 * entry point that makes transports.
 *
 * @module
 */
import { createServer } from "node:net";
import { type BunSocketHandlers, bunSocketHandlers } from "../../src/transport/bun.ts";
import { type DenoConn, denoTransport } from "../../src/transport/deno.ts";
import { nodeTransport } from "../../src/transport/node.ts";
import type { Acceptor, Listener, ListenerOptions } from "../../src/transport/transport.ts";
import { runtime } from "../support/runtime.ts";

interface DenoNamespace {
  listen(options: object): AsyncIterable<DenoConn> & { addr: { port: number }; close(): void };
}

interface BunNamespace {
  listen(options: {
    hostname: string;
    port: number;
    allowHalfOpen: boolean;
    socket: BunSocketHandlers;
  }): { port: number; stop(): void };
}

/** Listens on a port of 127.0.0.1. */
export function listenOwn(_: ListenerOptions, accept: Acceptor): Listener {
  const where = { hostname: "127.0.0.1", port: 0 };
  if (runtime === "deno") {
    const { Deno } = globalThis as unknown as { Deno: DenoNamespace };
    const listener = Deno.listen(where);
    (async () => {
      for await (const conn of listener) accept(denoTransport(conn));
    })();
    return owned(() => listener.addr.port, () => listener.close(), Promise.resolve());
  }
  if (runtime === "bun") {
    const { Bun } = globalThis as unknown as { Bun: BunNamespace };
    const socket = bunSocketHandlers(accept);
    const listener = Bun.listen({ ...where, allowHalfOpen: true, socket });
    return owned(() => listener.port, () => listener.stop(), Promise.resolve());
  }
  const server = createServer((socket) => accept(nodeTransport(socket)));
  const listening = new Promise<void>((resolve) => server.listen(0, where.hostname, resolve));
  const port = () => {
    const address = server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  };
  return owned(port, () => server.close(), listening);
}

function owned(port: () => number, close: () => void, listening: Promise<void>): Listener {
  return {
    get address() {
      return { transport: "tcp" as const, hostname: "127.0.0.1", port: port() };
    },
    listening,
    close,
    unref: () => {},
    setCertificate: () => {},
  };
}
