/**
 * `this.ended`: each way to end, in each version, and the first cause if there are
 * several.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { ConnectionEnd } from "../../src/connection/connection_end.ts";
import { ProtocolError } from "../../src/errors.ts";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { Settings } from "../../src/server/settings.ts";
import { MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { gate, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** Obeys a text, and reports how the connection ended. */
class Ending extends Recording {
  static last: Ending;
  /** The promise that `onMessage("wait")` waits for. */
  static work: Promise<void> = Promise.resolve();

  override open(): void {
    Ending.last = this;
  }
  override onMessage(message: string | Uint8Array): void | Promise<void> {
    assertEquals(this.ended, undefined);
    if (message === "wait") return Ending.work;
    if (message === "close") return this.close(4000, "enough");
    if (message === "close plainly") return this.close();
    if (message === "abort") return this.abort();
    if (message === "throw") throw new Error("on purpose");
  }
  override onClose(): void {
    this.note(show(this.ended));
  }
}

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

/** The parts of a test. */
interface Scene {
  readonly rig: Rig;
  readonly client: MemoryClient;
  readonly version: WebSocketVersion;
}

/** A way to end, and the result in versions with close codes, in draft76 and in draft75. */
interface Way {
  readonly act: (scene: Scene) => unknown;
  readonly told: readonly [hybi: string | null, draft76: string | null, draft75: string | null];
  readonly settings?: Partial<Settings>;
}

const brokenRule: Readonly<Record<"hybi" | "hixie", Uint8Array>> = {
  hybi: Uint8Array.of(0x83, 0x80, 0, 0, 0, 0),
  // The length of a skipped frame, beyond every limit.
  hixie: new Uint8Array(20).fill(0xff),
};

const ways: Readonly<Record<string, Way>> = {
  "the client closes": {
    act: ({ client }) => client.close(4001, "done"),
    told: ["peer 4001 done", "peer 1005", null],
  },
  "the client closes without a code": {
    act: ({ client }) => client.close(),
    told: ["peer 1005", "peer 1005", null],
  },
  "the client sends FIN": {
    act: ({ client }) => client.end(),
    told: ["network 1006", "network 1006", "peer 1006"],
  },
  "the client resets": {
    act: ({ client }) => client.reset(),
    told: ["network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)"],
  },
  "close(4000)": {
    act: async ({ client }) => {
      client.send("close");
      await settle();
      client.close(4000);
      client.end();
    },
    told: ["server 4000 enough", "server 1005", "server 1006"],
  },
  "close()": {
    act: async ({ client }) => {
      client.send("close plainly");
      await settle();
      client.close();
      client.end();
    },
    told: ["server 1005", "server 1005", "server 1006"],
  },
  "close(4000), which the client does not answer": {
    act: async ({ rig, client }) => {
      client.send("close");
      await settle();
      await rig.clock.advance(6000);
    },
    told: ["server 4000 enough", "server 1005", "server 1006"],
  },
  "close(4000), which the client answers by a reset": {
    act: async ({ client }) => {
      client.send("close");
      await settle();
      client.reset();
    },
    told: ["server 4000 enough", "server 1005", "server 1006"],
  },
  "close(4000), then abort()": {
    act: async ({ client }) => {
      client.send("close");
      await settle();
      client.send("abort");
    },
    told: ["server 4000 enough", "server 1005", "server 1006"],
  },
  "close(4000), then a broken rule": {
    act: async ({ client, version }) => {
      client.send("close");
      await settle();
      client.write(brokenRule[HYBI.includes(version) ? "hybi" : "hixie"]);
    },
    told: ["server 4000 enough", "server 1005", "server 1006"],
  },
  "abort()": {
    act: ({ client }) => client.send("abort"),
    told: ["server 1006", "server 1006", "server 1006"],
  },
  "an exception": {
    act: ({ client }) => client.send("throw"),
    told: [
      "server 1011 internal error (Error: on purpose)",
      "server 1006 (Error: on purpose)",
      "server 1006 (Error: on purpose)",
    ],
  },
  "a broken rule": {
    act: ({ client, version }) => {
      client.write(brokenRule[HYBI.includes(version) ? "hybi" : "hixie"]);
    },
    told: [
      "protocol 1002 opcodes 3 to 7 and 11 to 15 are reserved (RFC 6455 §5.2) (ProtocolError 1002)",
      "protocol 1006 (ProtocolError 1009)",
      "protocol 1006 (ProtocolError 1009)",
    ],
  },
  "a message beyond maxMessageSize": {
    act: ({ client }) => client.send("x".repeat(1001)),
    told: [
      "protocol 1009 a message must not exceed maxMessageSize (1000 bytes) (RFC 6455 §7.4.1) " +
      "(ProtocolError 1009)",
      "protocol 1006 (ProtocolError 1009)",
      "protocol 1006 (ProtocolError 1009)",
    ],
    settings: { maxMessageSize: 1000 },
  },
  "no answer to a ping": {
    act: ({ rig, client }) => {
      client.transport.pause();
      return rig.clock.advance(50_000);
    },
    told: [
      "timeout 1006 (WebSocketClosedError: no data within pingTimeout (20000 ms) of a ping)",
      null,
      null,
    ],
  },
  "no message for idleTimeout": {
    act: async ({ rig, client }) => {
      await rig.clock.advance(60_100);
      client.close(1001);
      client.end();
    },
    told: ["timeout 1001 idle timeout", "timeout 1005", "timeout 1006"],
    settings: { idleTimeout: 60_000, pingInterval: 0 },
  },
  "a client that takes no output for pingInterval and pingTimeout": {
    act: ({ rig, client }) => {
      client.transport.pause();
      Ending.last.writeMessage("x".repeat(100_000));
      return rig.clock.advance(50_000);
    },
    told: [
      "timeout 1006 (WebSocketClosedError: no data within pingTimeout (20000 ms) of a ping)",
      "timeout 1006 (WebSocketClosedError: no data within pingTimeout (20000 ms) of a ping)",
      "timeout 1006 (WebSocketClosedError: no data within pingTimeout (20000 ms) of a ping)",
    ],
  },
  "more than maxBufferedAmount waits": {
    act: ({ client }) => {
      client.transport.pause();
      for (let left = 20; left > 0; left--) Ending.last.writeMessage("x".repeat(10_000));
    },
    told: [
      "overflow 1013 more than maxBufferedAmount (10000 bytes) would wait for the peer " +
      "(ProtocolError 1013)",
      "overflow 1006 (ProtocolError 1013)",
      "overflow 1006 (ProtocolError 1013)",
    ],
    settings: { highWaterMark: 5000, maxBufferedAmount: 10_000 },
  },
  "a handler that never settles, and a client that has closed": {
    act: ({ rig, client }) => {
      Ending.work = new Promise(() => {});
      client.send("wait");
      client.close(4001, "done");
      client.end();
      return rig.clock.advance(6000);
    },
    told: ["peer 4001 done", "peer 1005", "peer 1006"],
  },
  "a handler that never settles, and a client that has closed, with no room for more": {
    act: ({ rig, client }) => {
      Ending.work = new Promise(() => {});
      client.send("wait");
      client.close(4001, "done");
      client.end();
      return rig.clock.advance(6000);
    },
    told: ["peer 4001 done", "peer 1005", "peer 1006"],
    settings: { maxQueuedSize: 1 },
  },
  "a handler that never settles, and a client that is gone": {
    act: async ({ rig, client }) => {
      Ending.work = new Promise(() => {});
      client.send("wait");
      await settle();
      client.reset();
      await rig.clock.advance(6000);
    },
    told: ["network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)"],
  },
  "a client that is gone, then abort()": {
    act: async ({ client }) => {
      Ending.work = new Promise(() => {});
      client.send("wait");
      await settle();
      client.reset();
      await settle();
      Ending.last.abort();
    },
    told: ["network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)"],
  },
  "a client that is gone, then an exception": {
    act: async ({ rig, client }) => {
      const { promise, fail } = gate();
      Ending.work = promise;
      client.send("wait");
      await settle();
      client.reset();
      await settle();
      fail(new Error("on purpose"));
      await settle();
      assertEquals(rig.logged.splice(0), ['Uncaught exception in "/": on purpose']);
    },
    told: ["network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)", "network 1006 (ECONNRESET)"],
  },
  "a client that has closed, then abort()": {
    act: async ({ client }) => {
      Ending.work = new Promise(() => {});
      client.send("wait");
      client.close(4001, "done");
      await settle();
      Ending.last.abort();
    },
    told: ["peer 4001 done", "peer 1005", null],
  },
  "a client that has closed, then close()": {
    act: async ({ client }) => {
      const { promise, open } = gate();
      Ending.work = promise;
      client.send("wait");
      client.close(4001, "done");
      await settle();
      Ending.last.close(4000, "enough");
      open();
    },
    told: ["peer 4001 done", "peer 1005", null],
  },
};

describe("this.ended says that the cause was", () => {
  for (const [name, { act, told, settings = {} }] of Object.entries(ways)) {
    for (const version of VERSIONS) {
      const expected = told[HYBI.includes(version) ? 0 : version === "draft76" ? 1 : 2];
      if (expected === null) continue;
      test(`${name} (${version})`, async () => {
        const events: string[] = [];
        const rig = new Rig([["/", Ending, events]], settings);
        const client = await rig.open(version);
        await act({ rig, client, version });
        await settle();
        await settle();
        assertEquals(events, [expected]);
        client.reset();
        await rig.clock.advance(60_000);
        assertEquals([events.length, rig.clock.pending], [1, 0]);
        assertEquals(show(Ending.last.ended), expected);
      });
    }
  }
});

describe("this.ended reports a shutdown", () => {
  const goodbyes: Partial<Record<WebSocketVersion, string>> = { draft75: "1006", draft76: "1005" };
  for (const version of VERSIONS) {
    for (const answers of [true, false]) {
      const how = answers ? "answers" : "does not answer";
      test(`which a client of ${version} ${how}`, async () => {
        const events: string[] = [];
        const rig = new Rig([["/", Ending, events]], { closeTimeout: 60_000 });
        const server = rig.app.listen({ hostname: "127.0.0.1", port: 0 });
        await server.listening;
        const client = await MemoryClient.connect({ port: server.addr.port });
        await client.open(version, { host: `127.0.0.1:${server.addr.port}` });
        const done = server.shutdown({ code: 1012, reason: "new", timeout: 1000 });
        await client.next();
        if (answers) {
          client.close(1012);
          client.end();
        } else await rig.clock.advance(1100);
        await done;
        assertEquals(events, [`shutdown ${goodbyes[version] ?? "1012 new"}`]);
        client.reset();
      });
    }
  }

  test("that drops a handler which never settles", async () => {
    const events: string[] = [];
    Ending.work = new Promise(() => {});
    const rig = new Rig([["/", Ending, events]]);
    const server = rig.app.listen({ hostname: "127.0.0.1", port: 0 });
    await server.listening;
    const client = await MemoryClient.connect({ port: server.addr.port });
    await client.open("rfc6455", { host: `127.0.0.1:${server.addr.port}` });
    client.send("wait");
    while (rig.app.stats().traffic.messagesIn === 0) await settle();
    const done = server.shutdown({ timeout: 1000 });
    await rig.clock.advance(1100);
    await done;
    assertEquals(events, ["shutdown 1006"]);
    client.reset();
  });
});
