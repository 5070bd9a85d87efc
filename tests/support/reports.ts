/**
 * Collects what the applications of servers report, by the path of each connection.
 * `tests/client/peers/reporter.ts` is the other end.
 *
 * @module
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** How long an application may take to be told of the end of its connection, in milliseconds. */
const PATIENCE = 60_000;

/** The path and query of a URL. */
function pathOf(url: string): string {
  return url.replace(/^\w+:\/\/[^/]*/, "");
}

/** The reports of any number of servers. Every test that makes one ends it with `stop`. */
export class Reports {
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

  /** The reports about a path until now. */
  of(path: string): readonly string[] {
    return this.#events.get(path) ?? [];
  }

  /** How many connections have ended, of those whose reports are not taken. */
  get closed(): number {
    const all = [...this.#events.values()];
    return all.filter((events) => events.some((event) => event.startsWith("close"))).length;
  }

  /** Stops listening. */
  stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
