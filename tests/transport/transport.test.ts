import { conformance } from "./conformance.ts";
import { listenNodeTls, memoryLink, socketLink } from "./links.ts";
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
conformance("TLS of node:tls", () => socketLink("tcp", true, listenNodeTls));
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
