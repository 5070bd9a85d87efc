/**
 * People of all versions who come, talk and go at a server, so that its figures move.
 *
 * @module
 */
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import { RawClient } from "../support/raw_client.ts";
import { WireSocket } from "../support/wire_socket.ts";

/** How many of each version there are at a step. */
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

  /** Lets as many come or go as there are to be. */
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

  /** Lets a share of them say something. */
  talk(share: number): void {
    for (const client of [...this.#present.values()].flat()) {
      if (Math.random() < share) client.send("Hello from the crowd");
    }
  }

  /** Sends somebody whose handshake is refused. */
  async intrude(request: string): Promise<void> {
    const client = await RawClient.connect({ port: this.#port });
    client.write(request);
    await client.readToEnd();
    await client.destroy();
  }

  /** Sends everybody away. */
  end(): void {
    for (const client of [...this.#present.values()].flat()) client.destroy();
  }
}
