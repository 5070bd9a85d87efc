/**
 * Traces a message with OpenTelemetry: from the page that sends it, through this server, to the pages
 * that are subscribed to the topic. The trace travels in the messages, as a W3C `traceparent`.
 *
 *     npm install @opentelemetry/api @opentelemetry/context-async-hooks @opentelemetry/core \
 *       @opentelemetry/sdk-trace
 *     deno run -A examples/tracing.ts [port]
 *     bun run examples/tracing.ts [port]
 *     node examples/tracing.ts [port]
 *
 * Open http://localhost:8888/ in two tabs, and then http://localhost:8888/spans. In production, put an
 * exporter such as that of `@opentelemetry/exporter-trace-otlp-http` in the place of the one in memory.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import process from "node:process";
import {
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import {
  type AnyHandler,
  Application,
  type DiagnosticEvents,
  WebSocketHandler,
} from "@waterspout/websocket";

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const tracer = trace.getTracer("tracing-example");

/** The spans of the connections. */
const connections = new WeakMap<AnyHandler, Span>();

/** What the pages send and receive. */
interface Traced {
  readonly traceparent?: string;
  readonly text: string;
}

class RoomHandler extends WebSocketHandler {
  /** Begins a span that lasts as long as the connection, and is active in all later hooks. */
  override prepare(): void {
    const span = tracer.startSpan("connection", { kind: SpanKind.SERVER });
    connections.set(this, span);
    context.with(
      trace.setSpan(ROOT_CONTEXT, span),
      () => this.runHooksIn(AsyncLocalStorage.snapshot()),
    );
    // Also if the handshake fails.
    void this.closed.then(({ by, code }) => {
      span.setAttributes({ "websocket.closed_by": by, "websocket.close_code": code }).end();
    });
  }

  override open(): void {
    this.subscribe("room");
  }

  onMessage(message: string | Uint8Array): void {
    const { text, ...carrier }: Traced = JSON.parse(String(message));
    // The trace of the page goes on. The connection, whose span is active, is linked to it.
    const sender = propagation.extract(ROOT_CONTEXT, carrier);
    const links = [trace.getActiveSpan()].flatMap((span) =>
      span === undefined ? [] : [{ context: span.spanContext() }]
    );
    tracer.startActiveSpan("message", { kind: SpanKind.CONSUMER, links }, sender, (span) => {
      try {
        this.#send(text);
      } finally {
        span.end();
      }
    });
  }

  #send(text: string): void {
    tracer.startActiveSpan("publish", { kind: SpanKind.PRODUCER }, (span) => {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      const { sent } = this.publish("room", { ...carrier, text });
      span.setAttribute("subscribers", sent).end();
    });
  }
}

// What a handler throws: here, a message that is not JSON.
subscribe("waterspout:error", (event) => {
  const { handler, error } = event as DiagnosticEvents["waterspout:error"];
  const span = handler === null ? undefined : connections.get(handler);
  span?.recordException(error instanceof Error ? error : String(error));
  span?.setStatus({ code: SpanStatusCode.ERROR });
});

const PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Tracing</title>
<form><input autofocus> <button>Send</button></form>
<ul></ul>
<script type="module">
  const hex = (size) => [...crypto.getRandomValues(new Uint8Array(size))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const socket = new WebSocket("ws://" + location.host + "/room");
  const show = (text) => {
    document.querySelector("ul").append(
      Object.assign(document.createElement("li"), { textContent: text }),
    );
  };
  socket.onmessage = ({ data }) => show("received " + data);
  document.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    const { value: text } = document.querySelector("input");
    // An SDK for browsers would make it from its active span.
    const message = JSON.stringify({ traceparent: "00-" + hex(16) + "-" + hex(8) + "-01", text });
    socket.send(message);
    show("sent " + message);
  };
</script>
`;

/** The spans that have ended. */
function spans(): unknown[] {
  return exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    trace: span.spanContext().traceId,
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    links: span.links.map(({ context }) => context.spanId),
    attributes: span.attributes,
    events: span.events.map(({ attributes }) => attributes?.["exception.message"]),
  }));
}

const server = new Application([["/room", RoomHandler]], {
  fetch: (request) =>
    new URL(request.url).pathname === "/spans"
      ? Response.json(spans())
      : new Response(PAGE, { headers: { "content-type": "text/html" } }),
}).listen({
  port: Number(process.argv[2] ?? 8888),
  onListen: ({ port }) => console.log(`http://localhost:${port}/`),
});
process.once("SIGINT", () => void server.shutdown());
process.once("SIGTERM", () => void server.shutdown());
