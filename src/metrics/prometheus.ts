/**
 * The counters in the text format of Prometheus, version 0.0.4.
 *
 * @module
 */
import type { HistogramStats } from "./histogram.ts";
import type { Stats } from "./snapshot.ts";

/**
 * An object with statistics: an application.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, type HasStats } from "@waterspout/websocket";
 *
 * const counting: HasStats = new Application([]);
 * assert(counting.stats().connections.open === 0);
 * ```
 */
export interface HasStats {
  /** Returns the statistics. */
  stats(): Stats;
}

/** The labels and the value of a sample, and the suffix of its name. */
type Sample = readonly [labels: Readonly<Record<string, string>>, value: number, suffix?: string];

/** The samples of a metric. */
interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: readonly Sample[];
}

/**
 * Makes a response with the statistics of an application, for Prometheus. Return it from the
 * setting `fetch`.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Application, metricsResponse } from "@waterspout/websocket";
 *
 * const app: Application = new Application([], {
 *   fetch(request) {
 *     const { pathname } = new URL(request.url);
 *     if (pathname === "/metrics") return metricsResponse(app);
 *     return new Response("Not found\n", { status: 404 });
 *   },
 * });
 * const text = await metricsResponse(app).text();
 * assert(text.includes("waterspout_sockets 0\n"));
 * ```
 *
 * @param app The application.
 * @returns A response with the content type `text/plain; version=0.0.4`.
 */
export function metricsResponse(app: HasStats): Response {
  const text = families(app.stats()).map(write).join("");
  return new Response(text, {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

function families(stats: Stats): Family[] {
  return [...connectionFamilies(stats), ...trafficFamilies(stats), ...topicFamilies(stats)];
}

function connectionFamilies(stats: Stats): Family[] {
  const rows = stats.byRouteAndVersion;
  return [
    gauge("sockets", "Open sockets, including handshakes and plain HTTP.", [[{}, stats.sockets]]),
    gauge(
      "connections",
      "Open connections.",
      rows.map(({ route, version, open }): Sample => [{ route, version }, open]),
    ),
    counter(
      "opened_total",
      "Connections opened since the start.",
      rows.map(({ route, version, total }): Sample => [{ route, version }, total]),
    ),
    counter("refused_total", "Refused and failed handshakes.", by("reason", stats.refused)),
    counter(
      "closed_total",
      "Closed connections by close code.",
      by("code", stats.closed),
    ),
    latencyFamily(stats.latency),
    counter("http_requests_total", "Plain HTTP requests.", [[{}, stats.requests]]),
  ];
}

/** Prometheus counts in seconds. */
function latencyFamily({ count, sum, buckets }: HistogramStats): Family {
  const limited = Object.entries(buckets).map(([limit, value]): Sample => {
    return [{ le: String(Number(limit) / 1000) }, value, "_bucket"];
  });
  return {
    name: "waterspout_ping_round_trip_seconds",
    type: "histogram",
    help: "Round trips of answered pings.",
    samples: [
      ...limited,
      [{ le: "+Inf" }, count, "_bucket"],
      [{}, sum / 1000, "_sum"],
      [{}, count, "_count"],
    ],
  };
}

function trafficFamilies({ traffic, throttled }: Stats): Family[] {
  return [
    counter("messages_total", "Messages. A published message counts once for each receiver.", [
      [{ direction: "in" }, traffic.messagesIn],
      [{ direction: "out" }, traffic.messagesOut],
    ]),
    counter("bytes_total", "Bytes on the wire.", [
      [{ direction: "in" }, traffic.bytesIn],
      [{ direction: "out" }, traffic.bytesOut],
    ]),
    counter("throttled_total", "Stops of reading because of messageRate or byteRate.", [
      [{}, throttled],
    ]),
  ];
}

function topicFamilies({ topics, subscriptions, present, broker }: Stats): Family[] {
  const local = [
    gauge("topics", "Topics with subscribers.", [[{}, topics]]),
    gauge("subscriptions", "Subscriptions of all topics.", [[{}, subscriptions]]),
    gauge("present", "Who is present. An id counts once for each topic.", [[{}, present]]),
  ];
  if (broker === undefined) return local;
  const { name, status, gaps, ...counts } = broker;
  return [
    ...local,
    gauge("broker_up", "Whether the broker is reachable (1 or 0).", [
      [{ broker: name }, status === "down" ? 0 : 1],
    ]),
    gauge("broker_slow", "Whether messages are dropped because the broker is slow (1 or 0).", [
      [{ broker: name }, status === "slow" ? 1 : 0],
    ]),
    counter(
      "broker_messages_total",
      "Messages to and from other processes.",
      Object.entries(counts).map(([event, value]): Sample => [{ broker: name, event }, value]),
    ),
    counter("broker_gaps_total", "Losses of messages of topics with a history.", [
      [{ broker: name }, gaps],
    ]),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `waterspout_${name}`, type: "gauge", help, samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name: `waterspout_${name}`, type: "counter", help, samples };
}

function by(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => [{ [label]: key }, value]);
}

function write({ name, type, help, samples }: Family): string {
  const lines = samples.map(([labels, value, suffix = ""]) =>
    `${name}${suffix}${writeLabels(labels)} ${value}\n`
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function writeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** "\\, \" and \n in label values" (Prometheus, Exposition formats). */
function escape(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
