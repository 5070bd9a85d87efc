/**
 * The servers of other libraries: how to start each, and what it supports.
 *
 * @module
 */
import type { WebSocketVersion } from "../../../src/handshake/versions.ts";
import type { Runtime } from "../../support/runtime.ts";
import { type Child, type SpawnOptions, spawnScript } from "../../support/spawn.ts";

/** One server. */
export interface PeerServer {
  /** The path of its script in tests/. */
  readonly script: string;
  /** The runtime that it needs. Default: that of the test. */
  readonly runtime?: Runtime;
  /** The versions that it supports. */
  readonly versions: readonly WebSocketVersion[];
  /** Whether it compresses. */
  readonly compresses: boolean;
  /** Whether it chooses the subprotocol `chat`. */
  readonly chats: boolean;
  /** The subprotocols that `waterspout probe` finds. */
  readonly subprotocols: readonly string[] | "any";
}

/** All servers. */
export const peers: Readonly<Record<string, PeerServer>> = {
  "Waterspout": {
    script: "client/peers/waterspout.ts",
    versions: ["rfc6455", "hybi-08", "hybi-07", "draft76", "draft75"],
    compresses: true,
    chats: true,
    subprotocols: ["chat", "superchat"],
  },
  "ws": {
    script: "client/peers/ws.ts",
    runtime: "node",
    versions: ["rfc6455", "hybi-08"],
    compresses: true,
    chats: true,
    subprotocols: "any",
  },
  "faye-websocket": {
    script: "client/peers/faye.ts",
    runtime: "node",
    versions: ["rfc6455", "draft76", "draft75"],
    compresses: false,
    chats: true,
    subprotocols: ["chat"],
  },
  "websocket-driver": {
    script: "peers/websocket_driver.ts",
    runtime: "node",
    versions: ["rfc6455", "draft76", "draft75"],
    compresses: false,
    chats: false,
    subprotocols: [],
  },
  "Bun.serve": {
    script: "client/peers/bun_serve.ts",
    runtime: "bun",
    versions: ["rfc6455"],
    compresses: true,
    chats: true,
    subprotocols: "any",
  },
  "Deno.serve": {
    script: "client/peers/deno_serve.ts",
    runtime: "deno",
    versions: ["rfc6455", "hybi-08", "hybi-07"],
    compresses: false,
    chats: true,
    subprotocols: ["chat"],
  },
};

/** Starts a server, and resolves when it listens. */
export async function startPeer(
  { script, runtime }: PeerServer,
  env: SpawnOptions["env"] = {},
): Promise<{ readonly child: Child; readonly url: string }> {
  const child = spawnScript(`tests/${script}`, [], {
    env,
    ...(runtime === undefined ? {} : { runtime }),
  });
  const [, port] = await child.waitFor(/^ready (\d+)$/m);
  return { child, url: `ws://127.0.0.1:${port}/` };
}
