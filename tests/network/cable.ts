/**
 * Two network namespaces, and a virtual cable between them that a test can pull. Needs root and Debian's
 * `iproute2`.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { Child, type SpawnOptions } from "../support/spawn.ts";
import { runtime, scriptCommand } from "../support/runtime.ts";

/** How to install what is missing. */
const HELP =
  "it takes root's rights, /run to write to, and iproute2 (on Debian: apt-get install iproute2; " +
  "in a container: --cap-add NET_ADMIN --cap-add SYS_ADMIN)";

/** One end of the cable. */
export type End = "server" | "client";

/** The addresses of the ends. */
export const ADDRESSES: Readonly<Record<End, string>> = {
  server: "10.213.7.1",
  client: "10.213.7.2",
};

let made = 0;

/** A cable between two namespaces. A test that makes one must call `remove`. */
export class Cable {
  readonly #names: Readonly<Record<End, string>>;

  /** @throws {Error} If namespaces cannot be made. The message says what is needed. */
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

  /** Starts a TypeScript file of the repository at one end. Default: under the runtime of the test. */
  spawn(end: End, path: string, args: readonly string[], options: SpawnOptions = {}): Child {
    const command = scriptCommand(path, options.runtime ?? runtime, "--allow-all");
    return new Child(["ip", "netns", "exec", this.#names[end], ...command, ...args], options);
  }

  /** Pulls the cable at the client's end: from now on, packets are lost silently. */
  pull(): void {
    ip("-n", this.#names.client, "link", "set", "cable", "down");
  }

  /** Removes the namespaces. Their processes must have ended. */
  remove(): void {
    for (const name of Object.values(this.#names)) {
      try {
        ip("netns", "delete", name);
      } catch {
        // It does not exist.
      }
    }
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
