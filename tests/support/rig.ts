/**
 * An application under test. Its clients are in memory, the test moves its clock, and its log is kept.
 *
 * @module
 */
import { Application } from "../../src/server/application.ts";
import type { HandlerClass } from "../../src/server/handler.ts";
import { WEBSOCKET_VERSIONS, type WebSocketVersion } from "../../src/handshake/versions.ts";
import type { AnyRoute } from "../../src/server/route_types.ts";
import type { Settings } from "../../src/server/settings.ts";
import {
  memoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
} from "../../src/transport/memory.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { MemoryClient, type OpenOptions, settle } from "./memory_client.ts";

export { settle };

/** How many deliveries connections in memory have made so far. */
let deliveries = 0;

/** How many turns of the event loop a promise or a stream of the runtime may take. */
const QUIET_TURNS = 6;

/** Waits until connections in memory deliver nothing for some turns of the event loop. */
export async function untilQuiet(): Promise<void> {
  let seen = deliveries;
  for (let left = QUIET_TURNS; left > 0; left--) {
    await settle();
    if (deliveries === seen) continue;
    seen = deliveries;
    left = QUIET_TURNS + 1;
  }
}

/** All versions. */
export const VERSIONS: readonly WebSocketVersion[] = WEBSOCKET_VERSIONS;
/** The versions with close codes, pings and binary messages. */
export const HYBI: readonly WebSocketVersion[] = ["hybi-07", "hybi-08", "rfc6455"];
/** The versions without them. */
export const HIXIE: readonly WebSocketVersion[] = ["draft75", "draft76"];

/** A connection in memory: the client, and the server's end of it. */
export interface Joined {
  readonly client: MemoryClient;
  readonly transport: MemoryTransport;
}

/** One application and its clients. */
export class Rig {
  /** The application's time. */
  readonly clock: FakeClock = new FakeClock();
  /** A line for each log entry: its message, and the message of its error. */
  readonly logged: string[] = [];
  /** The application. */
  readonly app: Application;

  /**
   * @param served A handler for `/`, or routes.
   * @param settings Settings other than the defaults. Default: all versions are enabled.
   */
  constructor(served: unknown, settings: Partial<Settings> = {}) {
    const routes = Array.isArray(served) ? served : [["/", served as HandlerClass]];
    this.app = new Application(routes as AnyRoute[], {
      versions: VERSIONS,
      clock: this.clock,
      log: (message, error) => {
        this.logged.push(error === undefined ? message : `${message} ${messageOf(error)}`);
      },
      ...settings,
    });
  }

  /** Connects, and sends nothing. */
  join(options: MemoryPairOptions = {}): Joined {
    const { schedule = queueMicrotask } = options;
    const [transport, far] = memoryPair({
      ...options,
      schedule(task) {
        deliveries++;
        schedule(task);
      },
    });
    const client = new MemoryClient(far);
    this.app.accept(transport);
    return { client, transport };
  }

  /** Connects and performs the opening handshake. Rejects unless the server accepts. */
  async open(version: WebSocketVersion, options: OpenOptions = {}): Promise<MemoryClient> {
    const { client } = this.join(options.pair);
    await client.open(version, options);
    return client;
  }

  /** Connects, sends bytes, and returns all bytes of the response. */
  async send(bytes: Uint8Array | string, options: MemoryPairOptions = {}): Promise<MemoryClient> {
    const { client } = this.join(options);
    client.write(bytes);
    await settle();
    return client;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A promise with its `resolve` and `reject` functions. */
export interface Gate {
  readonly promise: Promise<void>;
  readonly open: () => void;
  readonly fail: (error: Error) => void;
}

/** A gate: a handler waits at it until the test opens it. */
export function gate(): Gate {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { promise, open: resolve, fail: reject };
}
