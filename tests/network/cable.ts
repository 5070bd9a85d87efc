/**
 * Two network namespaces and a cable between them, which a test can pull. It needs root's rights
 * and Debian's `iproute2`.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { Child, type SpawnOptions } from "../support/spawn.ts";
import { runtime, scriptCommand } from "../support/runtime.ts";

/** How to get what lacks. */
const HELP =
  "it takes root's rights, /run to write to, and iproute2 (on Debian: apt-get install iproute2; " +
  "in a container: --cap-add NET_ADMIN --cap-add SYS_ADMIN)";

/** One end: where a process runs. */
export type End = "server" | "client";

/** The addresses of the ends. */
export const ADDRESSES: Readonly<Record<End, string>> = {
  server: "10.213.7.1",
  client: "10.213.7.2",
};

let made = 0;

/** A cable between two namespaces. Every test that makes one ends it with `remove`. */
export class Cable {
  readonly #names: Readonly<Record<End, string>>;

  /** @throws {Error} With what it takes, if there are no namespaces to be had. */
  constructor() {
    const name = `waterspout-${process.pid}-${++made}`;
    this.#names = { server: `${name}-s`, client: `${name}-c` };
    const { server, client } = this.#names;
    try {
      ip("netns", "add", server);
      ip("netns", "add", client);
      ip("-n", server, "link", "add", "cable", "type", "veth", "peer", "cable", "netns", client);
      for (const end of ["server", "client"] as const) {
        ip("-n", this.#names[end], "address", "add", `${ADDRESSES[end]}/24`, "dev", "cable");
        ip("-n", this.#names[end], "link", "set", "cable", "up");
        ip("-n", this.#names[end], "link", "set", "lo", "up");
      }
    } catch (error) {
      this.remove();
      throw new Error(`Cannot make a network namespace: ${HELP}`, { cause: error });
    }
  }

  /** Starts a TypeScript file of the repository at one end, under the runtime of the test. */
  spawn(end: End, path: string, args: readonly string[], options: SpawnOptions = {}): Child {
    const command = scriptCommand(path, runtime, "--allow-all");
    return new Child(["ip", "netns", "exec", this.#names[end], ...command, ...args], options);
  }

  /** Pulls the cable at the client's end: whatever is sent from now on gets lost, without a word. */
  pull(): void {
    ip("-n", this.#names.client, "link", "set", "cable", "down");
  }

  /** Takes all of it away. The processes in it must have ended. */
  remove(): void {
    for (const name of Object.values(this.#names)) {
      try {
        ip("netns", "delete", name);
      } catch {
        // It was not made.
      }
    }
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
