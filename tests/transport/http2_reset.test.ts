/**
 * When a stream of HTTP/2 is reset whose request the server does not read to its end.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { Http2Transport } from "../../src/transport/http2_stream.ts";
import type { Http2Stream } from "../../src/transport/http2_types.ts";

test("RST_STREAM is sent only after END_STREAM, which may leave later than the stream finishes", async () => {
  const events: string[] = [];
  const reset = Promise.withResolvers<void>();
  let finished = () => {};
  let looks = 0;
  const stream = {
    destroyed: false,
    aborted: false,
    get state() {
      const localClose = ++looks < 3 ? 0 : 1;
      events.push(`END_STREAM sent: ${localClose}`);
      return { localClose };
    },
    on(event: string, listener: () => void) {
      if (event === "finish") finished = listener;
    },
    end() {},
    close(code: number) {
      events.push(`RST_STREAM ${code}`);
      reset.resolve();
    },
  } as unknown as Http2Stream;
  const transport = new Http2Transport(stream);
  transport.end();
  transport.releasePeer();
  finished();
  await reset.promise;
  const sent = (localClose: number) => `END_STREAM sent: ${localClose}`;
  assertEquals(events, [sent(0), sent(0), sent(1), "RST_STREAM 0"]);
});
