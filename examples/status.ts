/**
 * A status page with live charts: connections by version, traffic, and refused handshakes. The page
 * gets the figures over a WebSocket: a new page the last two minutes, and one that was disconnected
 * what it has missed. It shows how many watch it, too. The service itself is an echo at `/websocket`.
 *
 *     deno run --allow-net examples/status.ts [port [milliseconds]]
 *     bun run examples/status.ts [port [milliseconds]]
 *     node examples/status.ts [port [milliseconds]]
 *
 * Default: a sample every 1000 ms. `/metrics` has the same figures for Prometheus. Do not make
 * either public: check the user in `prepare()`.
 */
import process from "node:process";
import {
  Application,
  metricsResponse,
  type Position,
  type Stats,
  WebSocketHandler,
} from "@waterspout/websocket";
import { statusPage } from "./pages/status.ts";

/** How many samples are kept. */
const KEPT_SAMPLES = 120;

/** The statistics at a time, in milliseconds since 1970. */
interface Sample {
  readonly time: number;
  readonly stats: Stats;
}

/** The service. */
class EchoHandler extends WebSocketHandler {
  onMessage(message: string | Uint8Array): Promise<void> {
    return this.writeMessage(message);
  }
}

/** What pages get of a sample. A page that comes back sends the position of the last one. */
function format(message: string | Uint8Array, position: Position): Record<string, unknown> {
  return { samples: [JSON.parse(String(message))], position };
}

/** The connection of a status page. It gets the old samples, and then each new one. */
class StatusHandler extends WebSocketHandler {
  override async open(): Promise<void> {
    const epoch = this.getArgument("epoch", "");
    const offset = Number(this.getArgument("offset", ""));
    const { recovered, position } = await this.subscribe("samples", {
      since: epoch === "" ? undefined : { epoch, offset },
      presence: { id: crypto.randomUUID(), info: { version: this.version } },
      onPresence: () => this.#tellWhoWatches(),
    });
    if (!recovered) {
      const { messages } = await this.application.history("samples");
      // Later ones arrive by themselves.
      const old = messages.filter((each) => each.position.offset <= (position?.offset ?? 0));
      const kept = old.map(({ message }) => JSON.parse(String(message)));
      this.writeMessage({ samples: kept, position, anew: true });
    }
    await this.#tellWhoWatches();
  }
  onMessage(): void {}

  async #tellWhoWatches(): Promise<void> {
    const watching = await this.application.presence("samples");
    this.writeMessage({ watching: watching.map(({ info }) => info) });
  }
}

function sample(): void {
  app.publish("samples", { time: Date.now(), stats: app.stats() } satisfies Sample);
}

function answer(request: Request): Response {
  switch (new URL(request.url).pathname) {
    case "/":
      return new Response(statusPage, { headers: { "content-type": "text/html; charset=utf-8" } });
    case "/metrics":
      return metricsResponse(app);
    default:
      return new Response("Not found\n", { status: 404 });
  }
}

const app: Application = new Application([
  ["/websocket", EchoHandler],
  ["/status", StatusHandler],
], {
  history: { samples: { size: KEPT_SAMPLES, ttl: 0, format } },
  fetch: answer,
});

const server = app.listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});
sample();
const timer = setInterval(sample, Number(process.argv[3] ?? 1000));

function stop(): void {
  clearInterval(timer);
  void server.shutdown();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
