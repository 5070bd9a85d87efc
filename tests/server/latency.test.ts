import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import { metricsResponse } from "../../src/metrics/prometheus.ts";
import { Recording } from "../support/recording.ts";
import { HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** A handler that tells the test who it is. */
class Known extends Recording {
  static last: Known;
  override open(): void {
    Known.last = this;
  }
}

const settings = { pingInterval: 10_000, pingTimeout: 4000 };

describe("the round trip of a ping", () => {
  for (const version of HYBI) {
    test(`${version}: is measured from the ping to its pong`, async () => {
      const rig = new Rig([["/", Known, []]], settings);
      const client = await rig.open(version);
      const handler = Known.last;
      assertEquals(handler.latency, undefined);
      client.pong(new Uint8Array(0));
      await settle();
      assertEquals(handler.latency, undefined, "a pong that was not asked for");
      await rig.clock.advance(10_000);
      assertEquals([client.take(), handler.latency], [["ping"], undefined]);
      await rig.clock.advance(37);
      client.pong(Uint8Array.of(1));
      await settle();
      assertEquals(handler.latency, undefined, "a pong with another payload");
      client.pong(new Uint8Array(0));
      client.pong(new Uint8Array(0));
      await settle();
      assertEquals(handler.latency, 37);
      handler.ping("a");
      await rig.clock.advance(3);
      handler.ping("b");
      await rig.clock.advance(4);
      client.pong(new TextEncoder().encode("a"));
      await settle();
      assertEquals(handler.latency, 37, "not the last ping");
      client.pong(new TextEncoder().encode("b"));
      await settle();
      assertEquals(handler.latency, 4);
      const { count, sum, buckets } = rig.app.stats().latency;
      assertEquals([count, sum, buckets[2], buckets[5], buckets[20], buckets[50]], [
        2,
        41,
        0,
        1,
        1,
        2,
      ]);
      const text = await metricsResponse(rig.app).text();
      const lines = text.split("\n").filter((line) => line.includes("round_trip"));
      assertEquals(lines.slice(0, 5), [
        "# HELP waterspout_ping_round_trip_seconds Round trips of answered pings.",
        "# TYPE waterspout_ping_round_trip_seconds histogram",
        'waterspout_ping_round_trip_seconds_bucket{le="0.001"} 0',
        'waterspout_ping_round_trip_seconds_bucket{le="0.002"} 0',
        'waterspout_ping_round_trip_seconds_bucket{le="0.005"} 1',
      ]);
      assertEquals(lines.slice(-3), [
        'waterspout_ping_round_trip_seconds_bucket{le="+Inf"} 2',
        "waterspout_ping_round_trip_seconds_sum 0.041",
        "waterspout_ping_round_trip_seconds_count 2",
      ]);
    });
  }

  for (const version of HIXIE) {
    test(`${version}: is unknown, since there are no pings`, async () => {
      const rig = new Rig([["/", Known, []]], settings);
      await rig.open(version);
      await rig.clock.advance(30_000);
      assertEquals(Known.last.latency, undefined);
    });
  }
});

for (const version of VERSIONS) {
  test(`${version}: a handler knows its topics`, async () => {
    const rig = new Rig([["/", Known, []]]);
    const client = await rig.open(version);
    const handler = Known.last;
    assertEquals(handler.topics, []);
    handler.subscribe("a");
    assertEquals(handler.topics, ["a"]);
    handler.subscribe("b");
    handler.subscribe("a");
    assertEquals(handler.topics, ["a", "b"]);
    handler.unsubscribe("a");
    assertEquals(handler.topics, ["b"]);
    client.end();
    await settle();
    assertEquals(handler.topics, []);
  });
}
