import { listen } from "../../src/transport/listen.ts";
import type { Acceptor, Listener, ListenerOptions } from "../../src/transport/transport.ts";
import { conformance } from "./conformance.ts";
import { memoryLink, socketLink } from "./links.ts";
import { listenOwn } from "./owned.ts";
import { listenUpgraded, UPGRADE } from "./upgraded.ts";

conformance("a memory pair", () => memoryLink());
conformance("a memory pair that cuts chunks and lends them", () =>
  memoryLink({
    split: (available) => Math.min(available, available % 1000 + 1000),
    transfersChunks: false,
  }));
conformance("a memory pair without capacity", () => memoryLink({ capacity: 0, split: 50_000 }));
conformance("TCP", () => socketLink("tcp", false));
conformance("TLS", () => socketLink("tcp", true));
conformance("TLS of node:tls", () => socketLink("tcp", true, listenRenewable));
conformance("a unix socket", () => socketLink("unix", false));
conformance(
  "a connection of the runtime's own listener",
  () => socketLink("tcp", false, listenOwn),
);
conformance(
  "a socket of an HTTP server",
  () => socketLink("tcp", false, listenUpgraded, UPGRADE),
);
conformance(
  "a socket of an HTTPS server",
  () => socketLink("tcp", true, listenUpgraded, UPGRADE),
);
conformance(
  "a unix socket of an HTTP server",
  () => socketLink("unix", false, listenUpgraded, UPGRADE),
);

/** Listens with what takes `node:tls` on every runtime. */
function listenRenewable(options: ListenerOptions, accept: Acceptor): Listener {
  return listen({ ...options, renewable: true }, accept);
}
