/**
 * Starts the servers that are compared, and collects what their applications report.
 *
 * @module
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { MESSAGE_LIMIT, REPORT_PORT } from "../../client/peers/reporter.ts";
import { peers, type PeerServer, startPeer } from "../../client/peers/start.ts";
import { runtimes } from "../../support/runtime.ts";
import type { Subject } from "./conversation.ts";

/** The size of the largest message, in bytes. The traffic exceeds it. */
export const LIMIT = 70_000;

/** How long an application may take to be told of the end of its connection, in milliseconds. */
const PATIENCE = 5000;

/** The server that the others are compared with. */
export const REFERENCE = "Waterspout on node";

/** The server that has the same protocol code as websocket-driver. */
const SAME = "faye-websocket";

/** The path and query of a URL. */
function pathOf(url: string): string {
  return url.replace(/^\w+:\/\/[^/]*/, "");
}

/** Collects the reports of all servers, by the path of the connection. */
class Reports {
  readonly #events = new Map<string, string[]>();
  readonly #waiting = new Map<string, () => void>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    createInterface({ input: socket }).on("line", (line) => this.#add(JSON.parse(line)));
  });

  /** Listens. Resolves to the port. */
  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  #add([url, event]: readonly [url: string, event: string]): void {
    const path = pathOf(url);
    this.#events.set(path, [...this.#events.get(path) ?? [], event]);
    if (event.startsWith("close")) this.#waiting.get(path)?.();
  }

  /** Takes the reports about a path, after the application was told of the end. */
  async take(path: string): Promise<readonly string[]> {
    const isOver = () => this.#events.get(path)?.some((event) => event.startsWith("close"));
    if (!isOver()) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, PATIENCE);
        this.#waiting.set(path, () => {
          clearTimeout(late);
          resolve();
        });
      });
    }
    this.#waiting.delete(path);
    const events = this.#events.get(path) ?? [];
    this.#events.delete(path);
    return events;
  }

  /** Stops listening. */
  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** All servers, running. */
export interface Subjects extends AsyncDisposable {
  /** Ours on Node, which the others are compared with. */
  readonly reference: Subject;
  /** The servers of other projects, and ours on the other runtimes. */
  readonly others: readonly Subject[];
}

/** Starts all servers. The caller must stop them. */
export async function startSubjects(): Promise<Subjects> {
  await using stack = new AsyncDisposableStack();
  const reports = stack.adopt(new Reports(), (all) => all.stop());
  const env = { [REPORT_PORT]: `${await reports.listen()}`, [MESSAGE_LIMIT]: `${LIMIT}` };
  const started: [name: string, peer: PeerServer][] = [];
  for (const [name, peer] of Object.entries(peers)) {
    if (name !== "Waterspout") started.push([name, peer]);
    else {for (const runtime of runtimes) {
        started.push([`${name} on ${runtime}`, { ...peer, runtime }]);
      }}
  }
  const all = await Promise.all(
    started.filter(([name]) => name !== SAME).map(async ([name, peer]) => {
      const { child, url } = await startPeer(peer, env);
      let stopping = false;
      stack.defer(async () => {
        stopping = true;
        await child.stop("SIGKILL");
      });
      child.exited.then((code) => {
        if (!stopping) console.error(`${name} has ended with ${code}:\n${child.output}`);
      });
      const { versions, compresses } = peer;
      const port = Number(new URL(url).port);
      return { name, port, versions, compresses, reports: (path: string) => reports.take(path) };
    }),
  );
  const moved = stack.move();
  return {
    reference: all.find(({ name }) => name === REFERENCE) as Subject,
    others: all.filter(({ name }) => name !== REFERENCE),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}
