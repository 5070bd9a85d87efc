/**
 * An echo server for tests that need a process of their own.
 *
 * Prints `port N`, and `error CODE` for each failure to accept. With `unref` it lets the process
 * end, which prints `unref` first; with `reuse` it listens twice.
 *
 * @module
 */
import process from "node:process";
import { listen } from "../../../src/transport/listen.ts";
import type { Listener, Transport } from "../../../src/transport/transport.ts";

function echo(transport: Transport): void {
  transport.events = {
    data: (chunk) => transport.write(chunk, false),
    drain: () => {},
    end: () => transport.end(),
    closed: () => {},
  };
}

function start(port: number, reusePort: boolean): Listener {
  const onError = (error: Error) => console.log("error", (error as { code?: unknown }).code);
  return listen({ hostname: "127.0.0.1", port, reusePort, onError }, echo);
}

const mode = process.argv[2];
// Otherwise, Deno opens the files for its signals half a second after its start, and panics if it cannot.
if (mode === undefined) process.on("SIGINT", () => process.exit());
const listener = start(0, mode === "reuse");
await listener.listening;
if (mode === "reuse") await start(listener.address.port, true).listening;
if (mode === "unref") {
  console.log("unref");
  listener.unref();
}
console.log("port", listener.address.port);
