import { describe, test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { ListenOptions, Server } from "../../src/server/server.ts";
import type { Settings } from "../../src/server/settings.ts";
import { makeOpening, MemoryClient, type OpenOptions } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { gate, HYBI, Rig, settle, untilQuiet, VERSIONS } from "../support/rig.ts";

/** A server on a port, with a clock that the test controls. */
class Listening {
  readonly rig: Rig;
  readonly events: string[] = [];
  readonly server: Server;
  readonly clients: MemoryClient[] = [];

  constructor(
    Handler: typeof Recording = Recording,
    settings: Partial<Settings> = {},
    options: Partial<ListenOptions> = {},
  ) {
    this.rig = new Rig([["/", Handler, this.events]], settings);
    this.server = this.rig.app.listen({
      hostname: "127.0.0.1",
      port: 0,
      ...options,
    });
  }

  async connect(): Promise<MemoryClient> {
    await this.server.listening;
    const client = await MemoryClient.connect({ port: this.server.addr.port });
    this.clients.push(client);
    return client;
  }

  async open(version: WebSocketVersion, options: OpenOptions = {}): Promise<MemoryClient> {
    const client = await this.connect();
    await client.open(version, { host: `127.0.0.1:${this.server.addr.port}`, ...options });
    return client;
  }

  /** Closes the server and its clients. */
  async end(): Promise<void> {
    for (const client of this.clients) client.reset();
    await this.server.finished;
    await settle();
    await assertRejects(() => MemoryClient.connect({ port: this.server.addr.port }));
    assertEquals([this.rig.clock.pending, this.rig.logged], [0, []]);
  }
}

/** Whether a promise has settled. */
function watch(promise: Promise<unknown>): { done: boolean } {
  const watched = { done: false };
  promise.then(() => watched.done = true, () => watched.done = true);
  return watched;
}

for (const version of VERSIONS) {
  describe(`a shutdown with a client of ${version} that keeps its socket`, () => {
    test("drops it after the timeout, even if closeTimeout is 0", async () => {
      const events: string[] = [];
      const rig = new Rig([["/", Recording, events]], { closeTimeout: 0 });
      const client = await rig.open(version);
      const shutdown = watch(rig.app.shutdown({ timeout: 3000 }));
      await settle();
      client.close(1001);
      await settle();
      await rig.clock.advance(2900);
      assertEquals([shutdown.done, client.take().at(-1)], [false, "FIN"]);
      await rig.clock.advance(200);
      assertEquals([shutdown.done, client.take()], [true, ["reset"]]);
      assertEquals([events.length, rig.clock.pending], [2, 0]);
    });
  });
}

for (const version of VERSIONS) {
  const goodbye = { draft75: "FIN", draft76: "close" }[version as string];

  describe(`shutdown() with clients of ${version}`, () => {
    test("closes each client as its version requires, and resolves when the last one is closed", async () => {
      const listening = new Listening();
      const clients = [await listening.open(version), await listening.open(version)];
      const done = listening.server.shutdown();
      const watched = watch(done);
      for (const client of clients) assertEquals(await client.next(), goodbye ?? "close 1001");
      await settle();
      assertEquals([watched.done, listening.server.stopping], [false, true]);
      for (const client of clients) {
        client.close(1001);
        client.end();
      }
      await done;
      const close = HYBI.includes(version) ? "close 1001" : "close";
      assertEquals(listening.events, ["open", "open", close, close]);
      await listening.end();
    });

    test("sends the given code and reason, and only the first call counts", async () => {
      const listening = new Listening();
      const client = await listening.open(version);
      const first = listening.server.shutdown({ code: 4000, reason: "upgrading" });
      const second = listening.server.shutdown({ code: 1012 });
      assertEquals(await client.next(), goodbye ?? "close 4000 upgrading");
      client.close(4000);
      client.end();
      await Promise.all([first, second]);
      await listening.server.shutdown();
      await listening.end();
    });

    test("handles received messages, sends the replies, and delivers later messages", async () => {
      const { promise, open } = gate();
      class Busy extends Recording {
        override async onMessage(message: string): Promise<void> {
          this.note(`begin ${message}`);
          await promise;
          await this.writeMessage(`done ${message}`);
          this.note(`end ${message}`);
        }
      }
      const listening = new Listening(Busy);
      const client = await listening.open(version);
      client.send("a");
      client.send("b");
      while (listening.events.length < 2) await settle();
      const done = listening.server.shutdown();
      client.send("c");
      await settle();
      assertEquals(client.events, []);
      open();
      assertEquals(await client.next(), "text done a");
      assertEquals(await client.next(), "text done b");
      assertEquals(await client.next(), goodbye ?? "close 1001");
      client.send("d");
      client.close(1001);
      client.end();
      await done;
      const handled = ["begin a", "end a", "begin b", "end b", "begin c", "begin d"];
      assertEquals(listening.events.slice(0, -1), ["open", ...handled]);
      await listening.end();
    });

    test("drops remaining clients at the timeout", async () => {
      class Stuck extends Recording {
        override onMessage(): Promise<void> {
          return new Promise(() => {});
        }
        override onClose(): Promise<void> {
          this.note("close");
          return new Promise(() => {});
        }
      }
      const listening = new Listening(Stuck, { closeTimeout: 60_000 });
      const silent = await listening.open(version);
      const busy = await listening.open(version);
      busy.send("work");
      while (listening.rig.app.stats().traffic.messagesIn === 0) await settle();
      const watched = watch(listening.server.shutdown({ timeout: 3000 }));
      await settle();
      await listening.rig.clock.advance(2990);
      assertEquals(watched.done, false);
      await listening.rig.clock.advance(20);
      for (const client of [silent, busy]) {
        await client.until("the end", () => /FIN|reset/.test(client.events.join()));
      }
      await listening.server.finished;
      assertEquals(listening.events.filter((event) => event === "close").length, 2);
      await listening.end();
    });

    test("waits for a slow onClose()", async () => {
      const { promise, open } = gate();
      class Saving extends Recording {
        override async onClose(): Promise<void> {
          await promise;
          this.note("saved");
        }
      }
      const listening = new Listening(Saving);
      const client = await listening.open(version);
      const done = listening.server.shutdown();
      const watched = watch(done);
      await client.next();
      client.close(1001);
      client.end();
      if (client.events.at(-1) !== "gone") {
        await client.until("the end", () => client.events.includes("gone"));
      }
      await untilQuiet();
      assertEquals(watched.done, false);
      open();
      await done;
      assertEquals(listening.events, ["open", "saved"]);
      await listening.end();
    });

    test("refuses a handshake in progress with 503", async () => {
      const { promise, open } = gate();
      class Slow extends Recording {
        override prepare(): Promise<void> {
          this.note("prepare");
          return promise;
        }
      }
      const listening = new Listening(Slow);
      const { head } = makeOpening(version, { host: "127.0.0.1", origin: "http://127.0.0.1" });
      const silent = await listening.connect();
      const half = await listening.connect();
      half.write(head.slice(0, 50));
      const preparing = await listening.connect();
      preparing.write(head);
      while (listening.events.length < 1) await settle();
      await untilQuiet();
      const done = listening.server.shutdown();
      await half.until("the answer", () => half.events.length > 0);
      assertEquals(half.parseAnswer().body, "the server is shutting down\n");
      await silent.until("the end", () => silent.events.length > 0);
      open();
      await preparing.until("the answer", () => preparing.events.length > 0);
      assertEquals(preparing.parseAnswer().status, 503);
      for (const client of listening.clients) client.end();
      await done;
      assertEquals(listening.events, ["prepare"]);
      await listening.end();
    });
  });
}

describe("shutdown()", () => {
  test("of a server without clients resolves at once", async () => {
    const listening = new Listening();
    await listening.server.listening;
    await listening.server.shutdown();
    await listening.end();
  });

  test("drops a draft76 client whose key3 has not arrived, after the 101", async () => {
    const listening = new Listening();
    const client = await listening.connect();
    client.write(makeOpening("draft76", { host: "127.0.0.1" }).head);
    await client.until("the 101", () => client.raw.endsWith("\r\n\r\n"));
    const done = listening.server.shutdown();
    await client.until("the end", () => client.events.length > 0);
    client.end();
    await done;
    assertEquals([client.parseAnswer().body, listening.events], ["", []]);
    await listening.end();
  });

  test("finishes the response to a plain request", async () => {
    const { promise, open } = gate();
    const asked = gate();
    const fetch = async () => {
      asked.open();
      await promise;
      return new Response("all of it");
    };
    const listening = new Listening(Recording, { fetch });
    const client = await listening.connect();
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await asked.promise;
    const done = listening.server.shutdown();
    await settle();
    open();
    await client.until("the end", () => client.events.length > 0);
    assert(client.raw.includes("all of it"), client.raw);
    client.end();
    await done;
    await listening.end();
  });

  test("checks its arguments before anything ends", async () => {
    const listening = new Listening();
    const client = await listening.open("rfc6455");
    await assertRejects(() => listening.server.shutdown({ code: 1005 }), RangeError, "1005");
    await assertRejects(() => listening.server.shutdown({ reason: "x".repeat(124) }), RangeError);
    await assertRejects(() => listening.server.shutdown({ timeout: -1 }), RangeError, "-1");
    await assertRejects(() => listening.server.shutdown({ timeout: NaN }), RangeError, "NaN");
    await assertRejects(
      () => listening.server.shutdown({ timeout: Infinity }),
      RangeError,
      "Cannot shut down: timeout must be an integer from 0 (off) to 2147483647, got Infinity",
    );
    const other = await listening.open("rfc6455");
    assertEquals([client.events, other.events, listening.server.stopping], [[], [], false]);
    const done = listening.server.shutdown({ timeout: 1 });
    await listening.rig.clock.advance(1);
    await done;
    await listening.end();
  });

  test("waits for ever with the timeout 0", async () => {
    const listening = new Listening(Recording, { closeTimeout: 1_000_000_000 });
    const client = await listening.open("rfc6455");
    const done = listening.server.shutdown({ timeout: 0 });
    const watched = watch(done);
    await listening.rig.clock.advance(900_000);
    assertEquals(watched.done, false);
    client.close();
    client.end();
    await done;
    await listening.end();
  });

  test("is caused by a signal, even before the server listens", async () => {
    const controller = new AbortController();
    const listening = new Listening(Recording, {}, { signal: controller.signal });
    const client = await listening.open("rfc6455");
    controller.abort();
    assertEquals(await client.next(), "close 1001");
    client.close(1001);
    client.end();
    await listening.end();
    const late = new Listening(Recording, {}, { signal: controller.signal });
    await late.server.finished;
    assertEquals(late.server.stopping, true);
  });

  test("is caused by the end of an await using block", async () => {
    const listening = new Listening();
    let client: MemoryClient;
    {
      await using server = listening.server;
      client = await listening.open("rfc6455");
      assertEquals(server.stopping, false);
      void client.next().then(() => {
        client.close(1001);
        client.end();
      });
    }
    assertEquals(listening.events, ["open", "close 1001"]);
    await listening.end();
  });

  test("inside a handler ends at its timeout, since the handler waits for itself", async () => {
    const servers: Server[] = [];
    class Ending extends Recording {
      override async onMessage(): Promise<void> {
        await servers[0]?.shutdown({ timeout: 1000 });
        this.note("over");
      }
    }
    const listening = new Listening(Ending);
    servers.push(listening.server);
    const client = await listening.open("rfc6455");
    client.send("end");
    while (!listening.server.stopping) await settle();
    await listening.rig.clock.advance(1100);
    await listening.server.finished;
    while (listening.events.length < 3) await settle();
    assertEquals(listening.events.sort(), ["close", "open", "over"]);
    await listening.end();
  });
});

describe("listen()", () => {
  test("logs an exception of onListen(), and goes on", async () => {
    const listening = new Listening(Recording, {}, {
      onListen() {
        throw new Error("on purpose");
      },
    });
    await listening.open("rfc6455");
    assertEquals(listening.rig.logged, ["Uncaught exception in onListen: on purpose"]);
    listening.rig.logged.length = 0;
    const done = listening.server.shutdown();
    for (const client of listening.clients) client.reset();
    await done;
    await listening.end();
  });

  test("throws, or rejects `listening`, if the port is in use", async () => {
    const first = new Listening();
    await first.server.listening;
    const { port } = first.server.addr;
    let failed: unknown;
    try {
      const second = new Listening(Recording, {}, { port });
      await second.server.listening;
    } catch (error) {
      failed = error;
    }
    assertEquals((failed as { code?: unknown }).code, "EADDRINUSE");
    await first.server.shutdown();
    await first.end();
  });
});
