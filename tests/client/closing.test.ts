import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import { ProtocolError, WebSocketClosedError } from "../../src/client/mod.ts";
import { type Joined, open, settle } from "./fake_server.ts";
import { HIXIE, HYBI } from "../handshake/good_server.ts";

/** Whether a promise has settled. */
async function hasSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await settle();
  return settled;
}

describe("a client closes", () => {
  for (const version of HYBI) {
    test(`with a code and a reason, and waits for the server's, and its FIN (${version})`, async () => {
      const { client, server } = await open({ version });
      client.close(3000, "that's all");
      client.close(3001, "again");
      client.ping("too late");
      await assertRejects(() => client.writeMessage("too late"), WebSocketClosedError);
      const reading = client.readMessage();
      await settle();
      assertEquals(server.take(), ["close 3000 that's all"]);
      assertEquals(server.received, 2 + 4 + 2 + "that's all".length);
      assertEquals(await hasSettled(reading), false);
      server.message("too late");
      server.close(3000);
      assertEquals(await reading, undefined);
      assertEquals([client.closeCode, client.closeReason], [3000, ""]);
      assertEquals(server.take(), []);
      server.end();
      await client.closed;
      await settle();
      assertEquals(server.take(), ["FIN", "gone"]);
    });
  }

  test("draft76 with FF 00, and sends FIN when it has received the server's", async () => {
    const { client, server } = await open({ version: "draft76" });
    client.close(1000, "neither is sent");
    await settle();
    assertEquals(server.take(), ["close"]);
    server.write("\xff\x00");
    assertEquals(await client.readMessage(), undefined);
    await settle();
    assertEquals(server.take(), ["FIN"]);
    assertEquals([client.closeCode, client.closeReason], [undefined, ""]);
    server.end();
    await client.closed;
  });

  test("draft75 with FIN", async () => {
    const { client, server } = await open({ version: "draft75" });
    client.writeMessage("last");
    client.close();
    await settle();
    assertEquals(server.take(), ["text last", "FIN"]);
    server.end();
    assertEquals(await client.readMessage(), undefined);
    await client.closed;
  });

  test("and drops unread messages", async () => {
    const { client, server } = await open({ maxQueuedSize: 200, pair: { capacity: 0 } });
    for (let i = 0; i < 100; i++) server.message("unread");
    await settle();
    client.close(1000);
    await settle();
    server.close(1000);
    assertEquals(await client.readMessage(), undefined);
    assertEquals(client.closeCode, 1000);
    server.end();
    await client.closed;
  });

  test("and refuses a code that must not be sent", async () => {
    const { client } = await open();
    assertThrows(() => client.close(1005), RangeError, "1005");
    assertThrows(() => client.close(1000, "x".repeat(124)), RangeError, "got 124");
    assertThrows(() => client.close(undefined, "why"), TypeError, "no code");
    client.abort();
  });

  test("at the end of an await using block", async () => {
    const { client, server } = await open();
    const block = (async () => {
      await using _ = client;
    })();
    await settle();
    assertEquals(server.take(), ["close 1000"]);
    server.close(1000);
    server.end();
    await block;
  });

  test("after closeTimeout at the latest, if the server sends nothing", async () => {
    const { client, server, clock } = await open({ closeTimeout: 3000 });
    client.close(1000);
    const reading = client.readMessage();
    await clock.advance(2900);
    assertEquals(await hasSettled(client.closed), false);
    await clock.advance(200);
    assertEquals(await reading, undefined);
    await client.closed;
    await settle();
    assertEquals(server.take(), ["close 1000", "reset"]);
    assertEquals(client.closeCode, undefined);
  });

  test("after closeTimeout at the latest, if the server does not close TCP", async () => {
    const { client, server, clock } = await open();
    client.close(1000);
    await settle();
    server.close(1000);
    assertEquals(await client.readMessage(), undefined);
    await clock.advance(4900);
    assertEquals(await hasSettled(client.closed), false);
    await clock.advance(200);
    await client.closed;
  });

  test("after closeTimeout at the latest, if the server does not read", async () => {
    const { client, server, clock } = await open({ pair: { capacity: 0 } });
    server.transport.pause();
    client.writeMessage("x".repeat(100_000));
    client.close(1000);
    await clock.advance(5100);
    await client.closed;
  });

  test("later than closeTimeout, while the server reads waiting output", async () => {
    const { client, server, clock } = await open({ pair: { capacity: 0, split: 1000 } });
    server.transport.pause();
    client.writeMessage("x".repeat(100_000));
    client.close(1000);
    for (let i = 0; i < 3; i++) {
      await clock.advance(4000);
      server.transport.resume();
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
      server.transport.pause();
    }
    assertEquals(await hasSettled(client.closed), false);
    server.transport.resume();
    await settle();
    assertEquals(server.take().at(-1), "close 1000");
    client.abort();
  });
});

describe("a server closes", () => {
  for (const version of HYBI) {
    test(`and gets its code and reason back (${version})`, async () => {
      const { client, server } = await open({ version });
      server.message("before");
      server.close(4000, "go away");
      await settle();
      assertEquals(server.take(), ["close 4000 go away"]);
      assertEquals([client.closeCode, client.closeReason], [4000, "go away"]);
      assertEquals(await client.readMessage(), "before");
      assertEquals(await client.readMessage(), undefined);
      assertEquals(await client.readMessage(), undefined);
      await assertRejects(() => client.writeMessage("late"), WebSocketClosedError);
      server.end();
      await client.closed;
      await settle();
      assertEquals(server.take(), ["FIN", "gone"]);
    });

    test(`without a code (${version})`, async () => {
      const { client, server } = await open({ version });
      server.close();
      assertEquals(await client.readMessage(), undefined);
      await settle();
      assertEquals(server.take(), ["close"]);
      assertEquals([client.closeCode, client.closeReason], [undefined, ""]);
      client.abort();
    });
  }

  test("draft76 and gets a close frame back", async () => {
    const { client, server } = await open({ version: "draft76" });
    server.write("\0last\xff\xff\0");
    assertEquals(await client.readMessage(), "last");
    assertEquals(await client.readMessage(), undefined);
    await settle();
    assertEquals(server.take(), ["close", "FIN"]);
    server.end();
    await client.closed;
  });

  test("draft75 with FIN", async () => {
    const { client, server } = await open({ version: "draft75" });
    server.write("\0last\xff");
    server.end();
    assertEquals(await client.readMessage(), "last");
    assertEquals(await client.readMessage(), undefined);
    await client.closed;
    await settle();
    assertEquals(server.take(), ["FIN", "gone"]);
  });
});

describe("a connection is lost", () => {
  const losses: readonly (readonly [how: string, lose: (joined: Joined) => void, says: string])[] =
    [
      ["FIN", ({ server }) => server.end(), "connection closed without a close frame"],
      ["a reset", ({ server }) => server.reset(), "ECONNRESET"],
    ];
  for (const [how, lose, says] of losses) {
    for (const version of [...HYBI, "draft76"] as const) {
      test(`by ${how} (${version})`, async () => {
        const joined = await open({ version });
        const { client, server } = joined;
        server.message("before");
        await settle();
        const writing = client.writeMessage("x");
        lose(joined);
        await writing;
        assertEquals(await client.readMessage(), "before");
        for (let i = 0; i < 2; i++) {
          await assertRejects(() => client.readMessage(), WebSocketClosedError, says);
        }
        await assertRejects(() => client.writeMessage("late"), WebSocketClosedError);
        await client.closed;
        assertEquals(client.closeCode, undefined);
      });
    }
  }

  test("draft75 by a reset", async () => {
    const { client, server } = await open({ version: "draft75" });
    server.reset();
    await assertRejects(() => client.readMessage(), WebSocketClosedError, "ECONNRESET");
    await client.closed;
  });

  test("while it waits for the server's close frame", async () => {
    for (const end of ["end", "reset"] as const) {
      const { client, server } = await open();
      client.close(1000);
      const reading = client.readMessage();
      await settle();
      server[end]();
      assertEquals(await reading.catch(() => undefined), undefined);
      await client.closed;
    }
  });

  for (const how of ["its own abort", "a reset", "a reset before all is read"] as const) {
    test(`by ${how}, while a write waits`, async () => {
      const limits = { highWaterMark: 100, maxQueuedSize: 100 };
      const { client, server } = await open({ ...limits, pair: { capacity: 0 } });
      const unread = how === "a reset before all is read" ? 5 : 0;
      server.write("\x81\x06unread".repeat(unread));
      server.transport.pause();
      client.writeMessage("x".repeat(1000));
      await settle();
      const writing = client.writeMessage("waits");
      if (how === "its own abort") client.abort();
      else server.reset();
      await assertRejects(() => writing, WebSocketClosedError, "is closed");
      for (let i = 0; i < unread; i++) assertEquals(await client.readMessage(), "unread");
      await client.closed;
    });
  }

  test("by its own abort, which is not an error", async () => {
    const { client, server } = await open();
    const reading = client.readMessage();
    client.abort();
    assertEquals(await reading, undefined);
    await client.closed;
    await settle();
    assertEquals(server.take(), ["reset"]);
  });

  test("if a ping is not answered", async () => {
    const limits = { pingInterval: 1000, pingTimeout: 2000 };
    const { client, server, clock } = await open(limits);
    const reading = client.readMessage();
    reading.catch(() => {});
    await clock.advance(2900);
    assertEquals(server.take(), ["ping", "ping"]);
    assertEquals(await hasSettled(reading), false);
    await clock.advance(500);
    await assertRejects(() => reading, WebSocketClosedError, "within pingTimeout (2000 ms)");
    await client.closed;
    await settle();
    assertEquals(server.take().at(-1), "reset");
  });

  test("unless pings are answered, or nobody reads", async () => {
    const limits = { pingInterval: 1000, pingTimeout: 2000, maxQueuedSize: 100 };
    const { client, server, clock } = await open(limits);
    for (let i = 0; i < 10; i++) {
      await clock.advance(1000);
      server.send((protocol, output) => protocol.writePong(output, new Uint8Array(0)));
    }
    for (let i = 0; i < 10; i++) server.message("unread");
    await clock.advance(10_000);
    assertEquals(await hasSettled(client.closed), false);
    for (let i = 0; i < 10; i++) assertEquals(await client.readMessage(), "unread");
    client.abort();
  });

  test("without pings if pingInterval is 0, and with TCP keep-alive in versions without pings", async () => {
    const { client, server, clock } = await open({ pingInterval: 0 });
    await clock.advance(100_000);
    assertEquals(server.take(), []);
    client.abort();
    for (const version of HIXIE) {
      const { client, server, clock } = await open({ version, pingInterval: 1000 });
      await clock.advance(100_000);
      assertEquals(server.take(), []);
      client.abort();
    }
  });
});

describe("a server breaks a rule", () => {
  const limits = { maxMessageSize: 10, maxFragments: 2 };
  const rows: readonly (readonly [what: string, bytes: string, code: number, says: string])[] = [
    ["a masked frame", "\x81\x82\0\0\0\0hi", 1002, "must not be masked (RFC 6455 §5.1)"],
    ["a masked ping", "\x89\x80\0\0\0\0", 1002, "must not be masked"],
    ["a reserved bit", "\xc1\x02hi", 1002, "reserved bits must be 0"],
    ["a reserved opcode", "\x83\x00", 1002, "opcodes 3 to 7"],
    ["no UTF-8", "\x81\x02\xff\xff", 1007, "must be UTF-8"],
    ["a message of 11 bytes", "\x81\x0b12345678901", 1009, "maxMessageSize (10 bytes)"],
    ["11 bytes in two frames", "\x01\x0612345\x36\x80\x0512345", 1009, "maxMessageSize"],
    ["an announced gigabyte", "\x82\x7f\0\0\0\0\x40\0\0\0", 1009, "maxMessageSize"],
    ["three frames", "\x01\x01a\0\x01a\x80\x01a", 1009, "maxFragments (2 frames)"],
    ["a ping of 126 bytes", `\x89\x7e\0\x7e${"a".repeat(126)}`, 1002, "125 bytes at most"],
    ["a close code that is none", "\x88\x02\x03\xed", 1002, "1005"],
    ["a length in too many bytes", "\x81\x7e\0\x01a", 1002, "fewest bytes"],
    ["a continuation of nothing", "\x80\x01a", 1002, "continuation"],
  ];
  for (const [what, bytes, code, says] of rows) {
    for (const split of [1, Infinity]) {
      test(`${what}, ${split === 1 ? "byte by byte" : "whole"}`, async () => {
        const { client, server } = await open({ ...limits, pair: { split } });
        server.write(`\x81\x05first${bytes}\x81\x04more`);
        assertEquals(await client.readMessage(), "first");
        const error = await assertRejects(() => client.readMessage(), ProtocolError, says);
        assertEquals(error.code, code);
        await assertRejects(() => client.readMessage(), ProtocolError, says);
        await settle();
        const [close, fin] = server.take();
        assert(close?.startsWith(`close ${code} `), close);
        assertEquals(fin, "FIN");
        server.end();
        await client.closed;
      });
    }
  }

  test("but not with a message of exactly the limits", async () => {
    const { client, server } = await open(limits);
    server.write("\x81\x0a1234567890\x01\x05abcde\x80\x05fghij");
    assertEquals(await client.readMessage(), "1234567890");
    assertEquals(await client.readMessage(), "abcdefghij");
    client.abort();
  });

  for (const version of HIXIE) {
    test(`${version} with a text that is too large`, async () => {
      const { client, server } = await open({ ...limits, version });
      server.write(`\0${"a".repeat(11)}\xff`);
      await assertRejects(() => client.readMessage(), ProtocolError, "maxMessageSize");
      await settle();
      assertEquals(server.take(), ["FIN"]);
      client.abort();
    });

    test(`${version} with skipped frames that are too large, and with malformed UTF-8`, async () => {
      const { client, server } = await open({ ...limits, version });
      server.write("\x05skip\xff\x80\x04skip\0a\xfe\xffok");
      assertEquals(await client.readMessage(), "a\ufffd");
      client.abort();
    });
  }

  test("and the client closes everything although the server never closes TCP", async () => {
    const { client, server, clock } = await open();
    server.write("\x81\x80\0\0\0\0");
    await assertRejects(() => client.readMessage(), ProtocolError);
    await clock.advance(5100);
    await client.closed;
    await settle();
    assertEquals(server.take().at(-1), "reset");
  });
});
