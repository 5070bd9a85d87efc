/**
 * Listeners whose connections began as HTTP requests with `Upgrade`.
 *
 * @module
 */
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { upgradedTransport } from "../../src/transport/attach.ts";
import type { Acceptor, Listener, ListenerOptions } from "../../src/transport/transport.ts";
import { latin1Bytes } from "../support/bytes.ts";

/** The client's request. */
export const UPGRADE: Uint8Array = latin1Bytes(
  ["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: test", "", ""].join(
    "\r\n",
  ),
);

/** Listens with `node:http` or `node:https`. */
export function listenUpgraded(options: ListenerOptions, accept: Acceptor): Listener {
  const { cert, key, path, hostname = "127.0.0.1" } = options;
  const server = cert === undefined || key === undefined
    ? createServer()
    : createTlsServer({ cert, key });
  server.on("upgrade", (_request, socket) => {
    const transport = upgradedTransport(socket);
    if (transport !== undefined) accept(transport);
  });
  const where = path === undefined ? { port: 0, host: hostname } : { path };
  const listening = new Promise<void>((resolve) => server.listen(where, resolve));
  return {
    get address() {
      const bound = server.address() as AddressInfo;
      return { transport: "tcp" as const, hostname, port: bound.port };
    },
    listening,
    close: () => void server.close(),
    unref: () => void server.unref(),
    setCertificate: () => {},
  };
}
