import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { RoundTrip } from "../../src/connection/round_trip.ts";

describe("a round trip", () => {
  test("is that of the last ping, once", () => {
    const trip = new RoundTrip();
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(1, 3)];
    assertEquals([trip.received(a, 1), trip.latency], [undefined, undefined]);
    trip.sent(a, 100);
    for (const other of [b, a.subarray(1), Uint8Array.of(1, 2, 3)]) {
      assertEquals([trip.received(other, 110), trip.latency], [undefined, undefined]);
    }
    trip.sent(b, 120);
    assertEquals([trip.received(a, 130), trip.latency], [undefined, undefined]);
    assertEquals([trip.received(b, 150), trip.latency], [30, 30]);
    assertEquals([trip.received(b, 160), trip.latency], [undefined, 30]);
  });

  test("does not depend on memory that the caller changes", () => {
    const trip = new RoundTrip();
    const payload = Uint8Array.of(5);
    trip.sent(payload, 0);
    payload[0] = 6;
    assertEquals([trip.received(Uint8Array.of(5), 7), trip.latency], [7, 7]);
  });
});
