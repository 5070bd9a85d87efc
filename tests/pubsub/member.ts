/**
 * A client of any version, connected to an application in memory, for tests of topics. It keeps the
 * messages that it receives.
 *
 * @module
 */
import type { Application } from "../../src/server/application.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import {
  memoryPair,
  type MemoryPairOptions,
  type MemoryTransport,
} from "../../src/transport/memory.ts";
import { settle } from "../support/settle.ts";
import { openingHandshake, textFrame, WireReader } from "../support/wire_client.ts";

export { VERSIONS } from "../support/wire_client.ts";

export { settle as settled };

/** One client. */
export class Member {
  /** The messages that have arrived, in order. */
  readonly messages: (string | Uint8Array)[] = [];
  /** The close code that has arrived; 0 for a close frame without one. */
  closeCode: number | undefined;
  /** Whether the server has closed the connection. */
  ended = false;
  readonly transport: MemoryTransport;
  readonly version: WebSocketVersion;

  private constructor(transport: MemoryTransport, version: WebSocketVersion) {
    this.transport = transport;
    this.version = version;
    const reader = new WireReader(version, {
      message: (message) => this.messages.push(message),
      close: (code) => this.closeCode = code,
    });
    transport.events = {
      data: (chunk) => reader.read(chunk),
      drain() {},
      end: () => {
        this.ended = true;
        transport.end();
      },
      closed: () => this.ended = true,
    };
  }

  /** Connects to `path` and waits until it is open. */
  static async join(
    app: Application,
    path: string,
    version: WebSocketVersion,
    options: MemoryPairOptions & { readonly fields?: readonly string[] } = {},
  ): Promise<Member> {
    const [server, client] = memoryPair(options);
    const member = new Member(client, version);
    app.accept(server);
    client.write(openingHandshake(path, version, options), true);
    await settle();
    return member;
  }

  /** Sends texts in one chunk. */
  send(...texts: string[]): void {
    const frames = texts.flatMap((text) => [...textFrame(text, this.version)]);
    this.transport.write(Uint8Array.from(frames), true);
  }

  /** Removes and returns the messages so far. */
  take(): (string | Uint8Array)[] {
    return this.messages.splice(0);
  }
}
