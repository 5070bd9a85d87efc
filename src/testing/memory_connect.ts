/**
 * Clients that connect to an application in memory.
 *
 * @module
 */
import type { Application } from "../server/application.ts";
import { openSession } from "../client/websocket_connect.ts";
import type { Session } from "../client/session.ts";
import { WebSocketClientConnection } from "../client/client_connection.ts";
import type { ConnectOptions } from "../client/options.ts";
import { memoryPair } from "../transport/memory.ts";
import type { Address } from "../transport/transport.ts";
import { Network } from "./network.ts";

/**
 * The options of {@linkcode connect}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Echo extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(message);
 *   }
 * }
 *
 * const client = await connect(new Application([["/", Echo]]), "/", {
 *   version: "hybi-07",
 *   split: 1,
 *   secure: true,
 *   remoteAddress: { transport: "tcp", hostname: "192.0.2.7", port: 50_000 },
 * });
 * client.writeMessage("byte by byte");
 * assertEquals(await client.readMessage(), "byte by byte");
 * ```
 */
export interface TestOptions extends Omit<ConnectOptions, "path" | "tls" | "transport"> {
  /** The largest chunk in bytes, or a function of the available bytes. Default: all bytes. */
  readonly split?: number | ((available: number) => number);
  /** How many bytes may be in flight before `bufferedAmount` grows. Default: 64 KiB. */
  readonly capacity?: number;
  /** Whether the connection counts as TLS. Default: `false`. */
  readonly secure?: boolean;
  /** The client's address for the application. Default: 127.0.0.1. */
  readonly remoteAddress?: Address;
}

const SERVER: Address = { transport: "tcp", hostname: "127.0.0.1", port: 8888 };
const CLIENT: Address = { transport: "tcp", hostname: "127.0.0.1", port: 50000 };

/**
 * Connects a client to an application in memory, without a port or a process. Only the network is
 * simulated: the client and the server are the real ones.
 *
 * @param app The application. The client uses its clock.
 * @param path The path, with the query if there is one.
 * @param options The options of `websocketConnect`, and those of the simulated network.
 * @returns The client, when the connection is open.
 * @throws {HandshakeError} If the application refuses the handshake.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Shout extends WebSocketHandler {
 *   onMessage(message: string | Uint8Array): void {
 *     this.writeMessage(String(message).toUpperCase());
 *   }
 * }
 *
 * const client = await connect(new Application([["/shout", Shout]]), "/shout");
 * client.writeMessage("hello");
 * assertEquals(await client.readMessage(), "HELLO");
 * ```
 *
 * @example An old client, one byte at a time
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Version extends WebSocketHandler {
 *   override open(): void {
 *     this.writeMessage(this.version);
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Version]]);
 * const client = await connect(app, "/", { version: "draft76", split: 1 });
 * assertEquals(await client.readMessage(), "draft76");
 * ```
 *
 * @example A refusal
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, HttpError, WebSocketHandler } from "@waterspout/websocket";
 * import { connect } from "@waterspout/websocket/testing";
 *
 * class Private extends WebSocketHandler {
 *   override prepare(): void {
 *     if (this.getCookie("session") === undefined) throw new HttpError(401, "log in first");
 *   }
 *   onMessage(): void {}
 * }
 *
 * const app = new Application([["/", Private]]);
 * const error = await connect(app, "/").catch((error) => error);
 * assert(error.status === 401 && error.body.includes("log in first"));
 * await connect(app, "/", { headers: { Cookie: "session=1" } });
 * ```
 */
export async function connect(
  app: Application,
  path: string,
  options: TestOptions = {},
): Promise<TestConnection> {
  const { split, capacity, secure = false, remoteAddress = CLIENT, ...rest } = options;
  const network = new Network();
  const [server, client] = memoryPair({
    schedule: network.schedule,
    secure,
    addresses: [SERVER, remoteAddress],
    ...(split === undefined ? {} : { split }),
    ...(capacity === undefined ? {} : { capacity }),
  });
  app.accept(server);
  try {
    const session = await openSession(`${secure ? "wss" : "ws"}://localhost${path}`, {
      clock: app.settings.clock,
      ...rest,
      transport: client,
    });
    return new TestConnection(session, network);
  } catch (error) {
    // If the options are wrong, the server's end must be closed too.
    client.destroy();
    throw error;
  }
}

/**
 * A client in memory. A test can stall its network.
 *
 * @example A client that does not answer
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, WebSocketHandler } from "@waterspout/websocket";
 * import { connect, FakeClock } from "@waterspout/websocket/testing";
 *
 * let closed = false;
 * class Sink extends WebSocketHandler {
 *   onMessage(): void {}
 *   override onClose(): void {
 *     closed = true;
 *   }
 * }
 *
 * const clock = new FakeClock();
 * const app = new Application([["/", Sink]], { clock, pingInterval: 1000, pingTimeout: 1000 });
 * const client = await connect(app, "/");
 *
 * await clock.advance(10_000);
 * assert(!closed);
 * client.stall();
 * await clock.advance(10_000);
 * assert(closed);
 * ```
 */
export class TestConnection extends WebSocketClientConnection {
  readonly #network: Network;

  /** Made by {@linkcode connect}. @ignore */
  constructor(session: Session, network: Network) {
    super(session);
    this.#network = network;
  }

  /** Whether the network is stalled. */
  get stalled(): boolean {
    return this.#network.stalled;
  }

  /** Stalls the network in both directions, until {@linkcode flow}. */
  stall(): void {
    this.#network.stall();
  }

  /** Ends a stall. Held bytes arrive first. */
  flow(): void {
    this.#network.flow();
  }
}
