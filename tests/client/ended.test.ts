/**
 * The property `ended` of a client: each way to end, in each version, and the first cause if there are
 * several. Messages that arrived before the end can still be read.
 *
 * @module
 */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { describe, test } from "node:test";
import { type ConnectionEnd, ProtocolError, WebSocketClosedError } from "../../src/client/mod.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { MemoryPairOptions } from "../../src/transport/memory.ts";
import { type Joined, open, settle } from "./fake_server.ts";
import { HYBI, VERSIONS } from "../handshake/good_server.ts";

/** An end as one line: `by code reason (error)`. */
function show(ended: ConnectionEnd | undefined): string {
  if (ended === undefined) return "not ended";
  const { by, code, reason, error } = ended;
  const because = error === undefined ? "" : `(${errorName(error)})`;
  return [by, code, reason, because].filter((word) => word !== "").join(" ");
}

function errorName(error: Error): string {
  if (error instanceof ProtocolError) return `ProtocolError ${error.code}`;
  const { code } = error as { readonly code?: string };
  return code ?? `${error.name}: ${error.message}`;
}

/** A way to end, and the result in versions with close codes, in draft76 and in draft75. */
interface Way {
  readonly act: (joined: Joined & { readonly version: WebSocketVersion }) => unknown;
  readonly told: readonly [hybi: string | null, draft76: string | null, draft75: string | null];
  readonly options?: ConnectOptions & { readonly pair?: MemoryPairOptions };
}

const RESET = "network 1006 (ECONNRESET)";
const SILENT =
  "timeout 1006 (WebSocketClosedError: no data within pingTimeout (1000 ms) of a ping)";

const ways: Readonly<Record<string, Way>> = {
  "the server closes": {
    act: ({ server }) => server.close(1001, "going"),
    told: ["peer 1001 going", "peer 1005", null],
  },
  "the server sends FIN": {
    act: ({ server }) => server.end(),
    told: ["network 1006", "network 1006", "peer 1006"],
  },
  "the server resets": { act: ({ server }) => server.reset(), told: [RESET, RESET, RESET] },
  "close(4000)": {
    act: async ({ client, server }) => {
      client.close(4000, "enough");
      await settle();
      server.close(4000);
      server.end();
    },
    told: ["client 4000 enough", "client 1005", "client 1006"],
  },
  "close(4000), which the server does not answer": {
    act: ({ client, clock }) => {
      client.close(4000, "enough");
      return clock.advance(6000);
    },
    told: ["client 4000 enough", "client 1005", "client 1006"],
  },
  "close(4000), which the server answers by a reset": {
    act: async ({ client, server }) => {
      client.close(4000, "enough");
      await settle();
      server.reset();
    },
    told: ["client 4000 enough", "client 1005", "client 1006"],
  },
  "close(4000), then abort()": {
    act: ({ client }) => {
      client.close(4000, "enough");
      client.abort();
    },
    told: ["client 4000 enough", "client 1005", "client 1006"],
  },
  "abort()": {
    act: ({ client }) => client.abort(),
    told: ["client 1006", "client 1006", "client 1006"],
  },
  "a broken rule": {
    act: ({ server, version }) => {
      const bytes = HYBI.includes(version) ? Uint8Array.of(0x83, 0) : new Uint8Array(20).fill(0xff);
      server.write(bytes);
    },
    told: [
      "protocol 1002 opcodes 3 to 7 and 11 to 15 are reserved (RFC 6455 §5.2) (ProtocolError 1002)",
      "protocol 1006 (ProtocolError 1009)",
      "protocol 1006 (ProtocolError 1009)",
    ],
  },
  "an exception in onPing": {
    act: ({ server }) => server.send((protocol, output) => protocol.writePing(output, bytes)),
    told: ["client 1011 internal error (Error: on purpose)", null, null],
    options: {
      onPing: () => {
        throw new Error("on purpose");
      },
    },
  },
  "no answer to a ping": {
    act: ({ server, clock }) => {
      server.transport.pause();
      return clock.advance(4000);
    },
    told: [SILENT, null, null],
    options: { pingInterval: 1000, pingTimeout: 1000 },
  },
  "more than maxBufferedAmount waits": {
    act: ({ client, server }) => {
      server.transport.pause();
      for (let left = 20; left > 0; left--) client.writeMessage("x".repeat(10_000));
    },
    told: [
      "overflow 1013 more than maxBufferedAmount (10000 bytes) would wait for the peer " +
      "(ProtocolError 1013)",
      "overflow 1006 (ProtocolError 1013)",
      "overflow 1006 (ProtocolError 1013)",
    ],
    options: { highWaterMark: 5000, maxBufferedAmount: 10_000, pair: { capacity: 0 } },
  },
};
const bytes = Uint8Array.of(1);

describe("ended tells a client about", () => {
  for (const [name, { act, told, options = {} }] of Object.entries(ways)) {
    for (const version of VERSIONS) {
      const expected = told[HYBI.includes(version) ? 0 : version === "draft76" ? 1 : 2];
      if (expected === null) continue;
      test(`${name} (${version})`, async () => {
        const joined = await open({ version, ...options });
        const { client, server, clock } = joined;
        const { signal, closed } = client;
        assertEquals([client.ended, signal.aborted], [undefined, false]);
        await act({ ...joined, version });
        await settle();
        assertEquals(show(client.ended), expected);
        assertStrictEquals(signal.reason, client.ended);
        server.transport.resume();
        server.end();
        await clock.advance(20_000);
        assertStrictEquals(await closed, client.ended);
        assertStrictEquals(client.closed, closed);
        assertEquals([show(client.ended), clock.pending], [expected, 0]);
      });
    }
  }
});

for (const version of VERSIONS) {
  describe(`a client of ${version} that is slow`, () => {
    for (const leave of ["end", "reset"] as const) {
      test(`reads the messages before the server's ${leave}, even much later`, async () => {
        const pair = { capacity: 0, split: 50 };
        const { client, server, clock } = await open({ version, maxQueuedSize: 1, pair });
        const sent = Array.from({ length: 3 }, (_, i) => `${i}`.repeat(10));
        for (const message of sent) server.message(message);
        await settle();
        server[leave]();
        const received: unknown[] = [];
        for (let left = sent.length; left > 0; left--) {
          await clock.advance(60_000);
          received.push(await client.readMessage());
        }
        assertEquals(received, sent);
        const clean = version === "draft75" && leave === "end";
        if (clean) assertEquals(await client.readMessage(), undefined);
        else await assertRejects(() => client.readMessage(), WebSocketClosedError);
        assertEquals(client.ended?.by, clean ? "peer" : "network");
        server.end();
        // Asked for late, both tell it too.
        assertStrictEquals(await client.closed, client.ended);
        assertStrictEquals(client.signal.reason, client.ended);
        await clock.advance(20_000);
        assertEquals(clock.pending, 0);
      });
    }
  });
}

for (const version of VERSIONS) {
  test(`a client of ${version} that closes while its queue is full finds the server's close frame`, async () => {
    const { client, server, clock } = await open({ version, maxQueuedSize: 1 });
    // Reading has stopped after it, and no bytes are held.
    server.message("unread");
    await settle();
    client.close(1000);
    await settle();
    server.close(1000);
    if (version === "draft75") server.end();
    await settle();
    assertEquals([show(client.ended).split(" ")[0], clock.now()], ["client", 1000]);
    server.end();
    await client.closed;
  });
}
