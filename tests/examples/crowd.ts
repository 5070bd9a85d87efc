/**
 * Clients of all versions that connect, send messages and leave, so that a server's figures change.
 *
 * @module
 */
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { RawClient } from "../support/raw_client.ts";
import { WireSocket } from "../support/wire_socket.ts";

/** How many clients of each version there are at a step. */
export type Plan = (step: number) => Readonly<Partial<Record<WebSocketVersion, number>>>;

/** The crowd. Every test that has one ends it with `end`. */
export class Crowd {
  readonly #port: number;
  readonly #path: string;
  readonly #present: Map<WebSocketVersion, WireSocket[]> = new Map();

  /** @param port The server's port on 127.0.0.1. @param path An echo's path. */
  constructor(port: number, path: string) {
    this.#port = port;
    this.#path = path;
  }

  /** Connects or closes clients until the wanted number is connected. */
  async become(counts: ReturnType<Plan>): Promise<void> {
    for (const [name, count] of Object.entries(counts)) {
      const version = name as WebSocketVersion;
      const present = this.#present.get(version) ?? [];
      this.#present.set(version, present);
      while (present.length > count) this.#sendAway(present.pop());
      while (present.length < count) {
        present.push(await WireSocket.open({ port: this.#port, path: this.#path, version }));
      }
    }
  }

  #sendAway(client: WireSocket | undefined): void {
    const how = Math.random();
    if (how < 0.4) client?.destroy();
    else client?.close(how < 0.8 ? 1001 : 1000);
  }

  /** Lets a share of the clients send a message. */
  talk(share: number): void {
    for (const client of [...this.#present.values()].flat()) {
      if (Math.random() < share) client.send("Hello from the crowd");
    }
  }

  /** Connects a client whose handshake is refused. */
  async intrude(request: string): Promise<void> {
    const client = await RawClient.connect({ port: this.#port });
    client.write(request);
    await client.readToEnd();
    await client.destroy();
  }

  /** Closes all clients. */
  end(): void {
    for (const client of [...this.#present.values()].flat()) client.destroy();
  }
}
