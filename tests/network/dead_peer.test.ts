import { before, describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { Settings } from "../../src/server/settings.ts";
import { runtime } from "../support/runtime.ts";
import { ADDRESSES, Cable } from "./cable.ts";

function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** How long a busy machine may leave a ping without an answer, in milliseconds. */
const PATIENCE = 6000;

/** A way to find a dead peer. */
interface Row {
  readonly version: WebSocketVersion;
  readonly settings: Partial<Settings>;
  /** The first message of the client. */
  readonly says?: string;
  readonly by: string;
  /** How long the client does not count as dead before the cable is pulled, in milliseconds. */
  readonly lives: number;
}

const rows: readonly Row[] = [
  {
    version: "rfc6455",
    settings: { pingInterval: 500, pingTimeout: PATIENCE },
    by: "pings",
    lives: 1.2 * PATIENCE,
  },
  {
    version: "draft76",
    settings: { pingInterval: 0, idleTimeout: PATIENCE, closeTimeout: 500 },
    by: "idleTimeout",
    lives: 0,
  },
  {
    version: "draft76",
    settings: { pingInterval: 500, pingTimeout: PATIENCE, maxBufferedAmount: 2 ** 30 },
    says: "pour",
    by: "output that it does not take",
    lives: 1.2 * PATIENCE,
  },
];

/** The time of ten probes, one per second, on the runtimes that let us set the time of the first one. */
const keepAlive: Row = {
  version: "draft76",
  settings: { pingInterval: 1000, pingTimeout: 1000 },
  by: "TCP's keep-alive",
  lives: 1700,
};

/** Pulls a cable, and waits until the server has closed the connection. */
async function lose({ version, settings, says = "hello", lives }: Row): Promise<void> {
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
      if (lives > 0) {
        await pass(lives);
        assertEquals(server.output.includes("closed"), false, client.output);
      }
      cable.pull();
      await server.waitFor(new RegExp(`^closed ${version}$`, "m"));
    } finally {
      await client.stop("SIGKILL");
    }
  } finally {
    await server.stop("SIGKILL");
    cable.remove();
  }
}

describe("a peer whose cable is pulled", () => {
  const all = runtime === "deno" ? rows : [...rows, keepAlive];
  /** They mostly wait, so they run side by side. */
  let results: readonly PromiseSettledResult<void>[] = [];
  before(async () => {
    results = await Promise.allSettled(all.map(lose));
  });

  for (const [index, { version, by }] of all.entries()) {
    test(`is found by ${by} (${version})`, () => {
      const result = results[index];
      if (result?.status !== "fulfilled") throw result?.reason;
    });
  }
});
