import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import parsePrometheusTextFormat from "parse-prometheus-text-format";
import { Application } from "../../src/server/application.ts";
import { broadcastChannelBroker } from "../../src/pubsub/brokers/broadcast_channel.ts";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { metricsResponse } from "../../src/metrics/prometheus.ts";
import { Member, settled } from "../pubsub/member.ts";

class Echo extends WebSocketHandler {
  override open(): void {
    this.subscribe("all");
  }
  onMessage(message: string | Uint8Array): void {
    this.writeMessage(message);
  }
}

/** The result of the parser for a family of samples. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly metrics: readonly { value: string; labels?: Record<string, string> }[];
}

async function parse(response: Response): Promise<Family[]> {
  return parsePrometheusTextFormat(await response.text()) as Family[];
}

describe("the metrics", () => {
  test("can be parsed as the text format of Prometheus", async () => {
    const broker = broadcastChannelBroker('a "quoted" \\ name');
    const app = new Application([["/", Echo]], {
      pingInterval: 0,
      broker,
    });
    const members = [
      await Member.join(app, "/", "draft76"),
      await Member.join(app, "/", "rfc6455"),
    ];
    members[1]?.send("hello");
    await settled();
    members[1]?.transport.destroy();
    await settled();
    const response = metricsResponse(app);
    assertEquals(response.status, 200);
    assertEquals(
      response.headers.get("content-type"),
      "text/plain; version=0.0.4; charset=utf-8",
    );
    const families = await parse(response);
    const stats = app.stats();
    const samples = new Map(families.map(({ name, metrics }) => [name, metrics]));
    assertEquals(samples.get("waterspout_sockets"), [{ value: "1" }]);
    assertEquals(samples.get("waterspout_connections"), [
      { value: "1", labels: { route: "/", version: "draft76" } },
      { value: "0", labels: { route: "/", version: "rfc6455" } },
    ]);
    assertEquals(samples.get("waterspout_opened_total")?.map(({ value }) => value), ["1", "1"]);
    assertEquals(samples.get("waterspout_closed_total"), [
      { value: "1", labels: { code: "1006" } },
    ]);
    assertEquals(samples.get("waterspout_messages_total"), [
      { value: "1", labels: { direction: "in" } },
      { value: "1", labels: { direction: "out" } },
    ]);
    assertEquals(samples.get("waterspout_bytes_total"), [
      { value: `${stats.traffic.bytesIn}`, labels: { direction: "in" } },
      { value: `${stats.traffic.bytesOut}`, labels: { direction: "out" } },
    ]);
    assertEquals(samples.get("waterspout_refused_total")?.length, 16);
    assertEquals(samples.get("waterspout_topics"), [{ value: "1" }]);
    assertEquals(samples.get("waterspout_subscriptions"), [{ value: "1" }]);
    const name = 'BroadcastChannel "a \\"quoted\\" \\\\ name"';
    assertEquals(samples.get("waterspout_broker_up"), [{ value: "1", labels: { broker: name } }]);
    assertEquals(samples.get("waterspout_broker_slow"), [{ value: "0", labels: { broker: name } }]);
    assertEquals(
      samples.get("waterspout_broker_messages_total")?.map(({ labels }) => labels?.["event"]),
      ["sent", "received", "dropped", "invalid"],
    );
    assertEquals(samples.get("waterspout_broker_gaps_total"), [
      { value: "0", labels: { broker: name } },
    ]);
    for (const { name, type, help } of families) {
      const expected = name.endsWith("_total") ? "COUNTER" : "GAUGE";
      assertEquals(type, name.endsWith("_seconds") ? "HISTOGRAM" : expected, name);
      assertEquals(help.endsWith("."), true, name);
    }
    members[0]?.transport.destroy();
    await broker.close();
  });

  test("exist for a new application", async () => {
    const families = await parse(metricsResponse(new Application([])));
    assertEquals(families.length, 13);
  });

  test("escape the values of labels", async () => {
    const app = new Application([[/\/(?:q|"|\\)/, Echo]], { pingInterval: 0 });
    const member = await Member.join(app, "/q", "rfc6455");
    const text = await metricsResponse(app).text();
    const label = String.raw`route="/\\/(?:q|\"|\\\\)/"`;
    assertStringIncludes(text, `waterspout_connections{${label},version="rfc6455"} 1\n`);
    member.transport.destroy();
  });
});
