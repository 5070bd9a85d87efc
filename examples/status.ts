/**
 * A status page with live charts: connections by version, traffic, and refused handshakes. The page
 * gets the figures over a WebSocket. The service itself is an echo at `/websocket`.
 *
 *     deno run --allow-net examples/status.ts [port [milliseconds]]
 *     bun run examples/status.ts [port [milliseconds]]
 *     node examples/status.ts [port [milliseconds]]
 *
 * Default: a sample every 1000 ms. `/metrics` has the same figures for Prometheus. Do not make
 * either public: check the user in `prepare()`.
 */
import process from "node:process";
import { Application, metricsResponse, type Stats, WebSocketHandler } from "@waterspout/websocket";
import { statusPage } from "./pages/status.ts";

/** How many old samples a new page gets. */
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

/** The connection of a status page. It gets the old samples, and then each new one. */
class StatusHandler extends WebSocketHandler<{ readonly samples: readonly Sample[] }> {
  override open(): void {
    this.writeMessage(this.options.samples as Sample[]);
    this.subscribe("samples");
  }
  onMessage(): void {}
}

const samples: Sample[] = [];

function sample(): void {
  const latest = { time: Date.now(), stats: app.stats() };
  samples.push(latest);
  if (samples.length > KEPT_SAMPLES) samples.shift();
  app.publish("samples", [latest]);
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
  ["/status", StatusHandler, { samples }],
], { fetch: answer });

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
