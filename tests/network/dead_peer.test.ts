import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { Settings } from "../../src/server/settings.ts";
import { runtime } from "../support/runtime.ts";
import { ADDRESSES, Cable } from "./cable.ts";

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A way to find a dead peer. */
interface Row {
  readonly version: WebSocketVersion;
  readonly settings: Partial<Settings>;
  /** The first message of the client. */
  readonly says?: string;
  readonly by: string;
}

const rows: readonly Row[] = [
  {
    version: "rfc6455",
    settings: { pingInterval: 500, pingTimeout: 1000 },
    by: "pings",
  },
  {
    version: "draft76",
    settings: { pingInterval: 0, idleTimeout: 2000, closeTimeout: 500 },
    by: "idleTimeout",
  },
  {
    version: "draft76",
    settings: { pingInterval: 500, pingTimeout: 1000, maxBufferedAmount: 2 ** 30 },
    says: "pour",
    by: "output that it does not take",
  },
];

/** The time of ten probes, one per second, on the runtimes that let us set the time of the first one. */
const keepAlive: Row = {
  version: "draft76",
  settings: { pingInterval: 1000, pingTimeout: 1000 },
  by: "TCP's keep-alive",
};

describe("a peer whose cable is pulled", () => {
  for (const row of runtime === "deno" ? rows : [...rows, keepAlive]) {
    const { version, settings, says = "hello", by } = row;
    test(`is found by ${by} (${version})`, async () => {
      const cable = new Cable();
      const server = cable.spawn("server", "tests/network/scripts/server.ts", [
        ADDRESSES.server,
        JSON.stringify({ versions: ["rfc6455", "hybi-07", "draft76", "draft75"], ...settings }),
      ]);
      try {
        await server.waitFor(/^listening$/m);
        // The client is the same for all servers. Bun starts in the least time.
        const client = cable.spawn(
          "client",
          "tests/network/scripts/client.ts",
          [ADDRESSES.server, version, says],
          { runtime: "bun" },
        );
        try {
          await server.waitFor(/^message /m);
          // Before the cable is pulled, the peer does not count as dead.
          await pass(1700);
          assertEquals(server.output.includes("closed"), false, client.output);
          cable.pull();
          await server.waitFor(new RegExp(`^closed ${version}$`, "m"));
        } finally {
          await client.stop("SIGKILL");
        }
      } finally {
        await server.stop("SIGKILL");
        cable.remove();
      }
    });
  }
});
