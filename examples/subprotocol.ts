/**
 * A service that speaks two versions of its own protocol, which the client chooses from.
 *
 *     deno run --allow-net examples/subprotocol.ts [port]
 *     bun run examples/subprotocol.ts [port]
 *     node examples/subprotocol.ts [port]
 *
 * In a browser's console: `new WebSocket("ws://localhost:8888/sum", ["sum.v2", "sum.v1"])`; then send
 * `{"numbers":[1,2]}` in v2, `1 2` in v1.
 */
import process from "node:process";
import { Application, HttpError, WebSocketHandler } from "@waterspout/websocket";

/** What a subprotocol answers to a message. */
type Answer = (message: string) => string | { readonly sum: number };

const add = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The subprotocols, the best first. */
const subprotocols: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["sum.v2", (message) => ({ sum: add(JSON.parse(message).numbers) })],
  ["sum.v1", (message) => String(add(message.split(" ").map(Number)))],
]);

class SumHandler extends WebSocketHandler {
  /** Called if the client offers any. What is returned goes into the answer of the handshake. */
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    const chosen = [...subprotocols.keys()].find((name) => offered.includes(name));
    if (chosen === undefined) throw new HttpError(400, `Speak ${[...subprotocols.keys()]}`);
    return chosen;
  }

  onMessage(message: string | Uint8Array): void {
    // Who offers none speaks the oldest.
    const answer = subprotocols.get(this.selectedSubprotocol ?? "sum.v1");
    if (answer === undefined || typeof message !== "string") {
      return this.close(1003, "text only");
    }
    // What JSON.parse throws would end the connection with 1011 and be logged.
    this.writeMessage(answer(message));
  }
}

const server = new Application([["/sum", SumHandler]]).listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/sum`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
