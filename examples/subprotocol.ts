/**
 * A service with two subprotocols. The client chooses one.
 *
 *     deno run --allow-net examples/subprotocol.ts [port]
 *     bun run examples/subprotocol.ts [port]
 *     node examples/subprotocol.ts [port]
 *
 * In the console of a browser, run `new WebSocket("ws://localhost:8888/sum", ["sum.v2",
 * "sum.v1"])`. Then send `{"numbers":[1,2]}` with sum.v2, or `1 2` with sum.v1.
 */
import process from "node:process";
import { Application, HttpError, WebSocketHandler } from "@waterspout/websocket";

/** Returns the reply to a message. */
type Answer = (message: string) => string | { readonly sum: number };

const add = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The subprotocols, the preferred one first. */
const subprotocols: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["sum.v2", (message) => ({ sum: add(JSON.parse(message).numbers) })],
  ["sum.v1", (message) => String(add(message.split(" ").map(Number)))],
]);

class SumHandler extends WebSocketHandler {
  /** Called if the client offers subprotocols. The response has the returned one. */
  override selectSubprotocol(offered: readonly string[]): string | undefined {
    const chosen = [...subprotocols.keys()].find((name) => offered.includes(name));
    if (chosen === undefined) {
      throw new HttpError(
        400,
        `Expected one of the subprotocols ${[...subprotocols.keys()].join(", ")}`,
      );
    }
    return chosen;
  }

  onMessage(message: string | Uint8Array): void {
    // A client that offers no subprotocol uses the oldest.
    const answer = subprotocols.get(this.selectedSubprotocol ?? "sum.v1");
    if (answer === undefined || typeof message !== "string") {
      return this.close(1003, "text only");
    }
    // An error of JSON.parse would be logged and close the connection with 1011.
    this.writeMessage(answer(message));
  }
}

const server = new Application([["/sum", SumHandler]]).listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/sum`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
