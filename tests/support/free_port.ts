/**
 * Ports for programs that cannot listen on port 0 and tell which port they got.
 *
 * @module
 */
import { createServer, type Server } from "node:net";
import process from "node:process";

/**
 * The first port and the number of pairs of ports. Systems take ports above 32,767 for port 0 and for
 * clients, so no other program gets these by chance.
 */
const FIRST = 20_000;
const PAIRS = 6000;

/** How many pairs this process has tried. Where it begins differs from process to process. */
let tried = process.pid * 7919;

/** Listens on a port of 127.0.0.1. Resolves to `undefined` if that is not possible. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/**
 * Returns a port of 127.0.0.1 on which nothing listens. It stays free for this process as long as the
 * process runs: listening on the port behind it, which nobody connects to, tells other processes that
 * it is taken.
 */
export async function freePort(): Promise<number> {
  for (let left = PAIRS; left > 0; left--) {
    const port = FIRST + 2 * (tried++ % PAIRS);
    const lock = await listen(port + 1);
    if (lock === undefined) continue;
    lock.unref();
    const server = await listen(port);
    if (server === undefined) {
      lock.close();
      continue;
    }
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error(`Cannot find a free port from ${FIRST} on`);
}
