import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, test } from "node:test";
import {
  type Message,
  type WebSocketClientConnection,
  WebSocketClosedError,
} from "../../src/client/mod.ts";
import { type FakeServer, open, settle } from "./fake_server.ts";
import { HIXIE, HYBI, VERSIONS } from "../handshake/good_server.ts";

describe("a client reads", () => {
  for (const version of VERSIONS) {
    test(`messages that arrived before and after the call (${version})`, async () => {
      const { client, server } = await open({ version });
      server.message("one");
      server.message("two");
      await settle();
      assertEquals(await client.readMessage(), "one");
      assertEquals(await client.readMessage(), "two");
      const waiting = [client.readMessage(), client.readMessage()];
      await settle();
      server.message("three");
      server.message("four");
      assertEquals(await Promise.all(waiting), ["three", "four"]);
      client.abort();
    });

    test(`messages right after the response, in any pieces (${version})`, async () => {
      const behind = HYBI.includes(version) ? "\x81\x02hi\x81\x02ho" : "\0hi\xff\0ho\xff";
      for (const split of [1, 7, Infinity]) {
        const { client } = await open({ version, behind, pair: { split, transfersChunks: false } });
        assertEquals([await client.readMessage(), await client.readMessage()], ["hi", "ho"]);
        client.abort();
      }
    });
  }

  for (const version of HYBI) {
    test(`binary messages into its own memory (${version})`, async () => {
      const { client, server } = await open({ version, pair: { transfersChunks: false } });
      server.message(Uint8Array.of(1, 2, 255));
      assertEquals(await client.readMessage(), Uint8Array.of(1, 2, 255));
      client.abort();
    });
  }

  test("with for await, to the end", async () => {
    const { client, server } = await open();
    for (const message of ["a", "b", "c"]) server.message(message);
    server.close(1000);
    const messages: (string | Uint8Array)[] = [];
    for await (const message of client) messages.push(message);
    assertEquals(messages, ["a", "b", "c"]);
    client.abort();
  });

  test("on after it has left a loop", async () => {
    const { client, server } = await open();
    for (const message of ["a", "b", "c"]) server.message(message);
    for await (const message of client) if (message === "b") break;
    assertEquals(await client.readMessage(), "c");
    client.abort();
  });
});

/** Sends messages in one chunk. */
function messagesAtOnce(server: FakeServer, count: number): void {
  server.send((protocol, output) => {
    for (let i = 0; i < count; i++) protocol.writeText(output, `${i}`);
  });
}

describe("a client that responds to messages of one chunk makes one write", () => {
  const loops: Readonly<Record<string, (client: WebSocketClientConnection) => Promise<void>>> = {
    async "with for await"(client) {
      for await (const message of client) void client.writeMessage(message);
    },
    async "with readMessage, and awaits the write"(client) {
      for (let message; (message = await client.readMessage()) !== undefined;) {
        await client.writeMessage(message);
      }
    },
  };
  for (const [name, loop] of Object.entries(loops)) {
    test(name, async () => {
      const { client, server } = await open();
      const done = loop(client);
      for (const count of [1, 2, 32, 5]) {
        server.chunks = 0;
        messagesAtOnce(server, count);
        await settle();
        assertEquals(server.take(), Array.from({ length: count }, (_, i) => `text ${i}`));
        assertEquals(server.chunks, 1, `${count} messages`);
      }
      server.close(1000);
      await done;
    });
  }

  test("unless it waits for something else in between", async () => {
    const { client, server } = await open();
    messagesAtOnce(server, 3);
    for (let i = 0; i < 3; i++) {
      await client.writeMessage(await client.readMessage() ?? "");
      await settle();
      assertEquals(server.take(), [`text ${i}`]);
    }
    client.abort();
  });
});

describe("a client writes", () => {
  for (const version of VERSIONS) {
    test(`text and JSON (${version})`, async () => {
      const { client, server } = await open({ version });
      await client.writeMessage("héllo");
      await client.writeMessage({ a: [1] });
      await settle();
      assertEquals(server.take(), ["text héllo", `text {"a":[1]}`]);
      client.abort();
    });
  }

  for (const version of HIXIE) {
    test(`no binary messages and no pings in versions without them (${version})`, async () => {
      const { client, server } = await open({ version });
      assertThrows(() => client.writeMessage(Uint8Array.of(1)), TypeError, "has none");
      assertThrows(() => client.ping(), TypeError, "has none");
      await settle();
      assertEquals(server.take(), []);
      client.abort();
    });
  }

  test("binary messages, masked and unchanged", async () => {
    const { client, server } = await open();
    const bytes = Uint8Array.of(1, 2, 255);
    await client.writeMessage(bytes);
    await settle();
    assertEquals(server.take(), ["binary 1,2,255"]);
    assertEquals(bytes, Uint8Array.of(1, 2, 255));
    client.abort();
  });

  test("nothing after the end", async () => {
    const { client } = await open();
    client.abort();
    await assertRejects(() => client.writeMessage("late"), WebSocketClosedError, "is closed");
    client.writeMessage("ignored");
    client.ping("ignored");
    client.close();
  });

  test("no other values", async () => {
    const { client } = await open();
    assertThrows(() => client.writeMessage(new Map() as unknown as Message), TypeError, "a Map");
    client.abort();
  });

  test("as fast as the server reads", async () => {
    const { client, server } = await open({ highWaterMark: 1000, pair: { capacity: 0 } });
    server.transport.pause();
    await client.writeMessage("x".repeat(5000));
    await settle();
    let taken = false;
    const writing = client.writeMessage("one more").then(() => taken = true);
    await settle();
    assert(client.bufferedAmount > 5000, String(client.bufferedAmount));
    assertEquals(taken, false);
    server.transport.resume();
    await writing;
    assertEquals(client.bufferedAmount, 0);
    client.abort();
  });

  test("no more than maxBufferedAmount", async () => {
    const { client, server } = await open({
      highWaterMark: 1000,
      maxBufferedAmount: 10_000,
      pair: { capacity: 0 },
    });
    server.transport.pause();
    client.writeMessage("x".repeat(9000));
    await settle();
    await assertRejects(() => client.writeMessage("x".repeat(9000)), WebSocketClosedError);
    const error = await assertRejects(() => client.readMessage(), Error, "maxBufferedAmount");
    assertEquals((error as Error & { code: number }).code, 1013);
    client.abort();
  });

  test("no more than maxBufferedAmount, and closes although it has stopped reading", async () => {
    const limits = { highWaterMark: 1000, maxBufferedAmount: 10_000, maxQueuedSize: 100 };
    const { client, server } = await open({ ...limits, pair: { capacity: 0 } });
    for (let i = 0; i < 100; i++) server.message("unread");
    await settle();
    server.transport.pause();
    client.writeMessage("x".repeat(9000));
    await settle();
    client.writeMessage("x".repeat(9000));
    server.transport.resume();
    server.end();
    await client.closed;
    assertEquals(client.ended?.by, "overflow");
  });
});

describe("pings", () => {
  for (const version of HYBI) {
    test(`are answered, and reported (${version})`, async () => {
      const told: string[] = [];
      const onPing = (payload: Uint8Array) => void told.push(`ping ${payload}`);
      const onPong = (payload: Uint8Array) => void told.push(`pong ${payload}`);
      const { client, server } = await open({ version, onPing, onPong });
      server.send((protocol, output) => protocol.writePing(output, Uint8Array.of(65)));
      client.ping("B");
      client.ping();
      await settle();
      assertEquals(server.take(), ["ping B", "ping", "pong A"]);
      server.send((protocol, output) => protocol.writePong(output, Uint8Array.of(66)));
      await settle();
      assertEquals(told, ["ping 65", "pong 66"]);
      client.abort();
    });
  }

  test("have at most 125 bytes", async () => {
    const { client, server } = await open();
    assertThrows(() => client.ping(new Uint8Array(126)), RangeError, "at most 125 bytes");
    client.ping(new Uint8Array(125));
    await settle();
    assertEquals(server.take().length, 1);
    client.abort();
  });

  test("wait behind waiting output, if there is room", async () => {
    const limits = { highWaterMark: 100, maxBufferedAmount: 6000 };
    const { client, server } = await open({ ...limits, pair: { capacity: 0 } });
    server.transport.pause();
    client.writeMessage("x".repeat(5000));
    await settle();
    client.ping("behind it");
    server.transport.resume();
    await settle();
    assertEquals(server.take().slice(1), ["ping behind it"]);
    server.transport.pause();
    client.writeMessage("x".repeat(5000));
    await settle();
    for (let i = 0; i < 20; i++) client.ping("x".repeat(125));
    await assertRejects(() => client.readMessage(), Error, "maxBufferedAmount (6000 bytes)");
    client.abort();
  });

  test("get only the last pong, if the server does not read", async () => {
    const { client, server } = await open({ highWaterMark: 100, pair: { capacity: 0 } });
    server.transport.pause();
    client.writeMessage("x".repeat(5000));
    await settle();
    for (let i = 0; i < 100; i++) {
      server.send((protocol, output) => protocol.writePing(output, Uint8Array.of(48 + i % 10)));
    }
    await settle();
    assert(client.bufferedAmount < 6000, String(client.bufferedAmount));
    server.transport.resume();
    await settle();
    assertEquals(server.take().slice(1), ["pong 9"]);
    client.abort();
  });

  for (
    const [what, fail] of [
      ["throws", () => {
        throw new Error("oops");
      }],
      ["rejects", () => Promise.reject(new Error("oops"))],
    ] as const
  ) {
    test(`close the connection if onPing ${what}`, async () => {
      const { client, server } = await open({ onPing: fail as () => void });
      server.send((protocol, output) => protocol.writePing(output, Uint8Array.of(65)));
      await assertRejects(() => client.readMessage(), Error, "oops");
      await settle();
      assertEquals(server.take().slice(0, 2), ["pong A", "close 1011 internal error"]);
      client.abort();
    });
  }
});

describe("unread messages", () => {
  test("stop the reading at maxQueuedSize, until some are read", async () => {
    const { client, server } = await open({ maxQueuedSize: 1000, pair: { capacity: 0 } });
    for (let i = 0; i < 100; i++) server.message(`${i} `.padEnd(100, "x"));
    server.close(1000);
    await settle();
    for (let i = 100; i < 200; i++) server.message("never"); // After the close frame.
    await settle();
    assert(server.transport.bufferedAmount > 0, "everything was read");
    assertEquals(client.closeCode, undefined);
    const numbers: number[] = [];
    for await (const message of client) numbers.push(parseInt(String(message)));
    assertEquals(numbers, Array.from({ length: 100 }, (_, i) => i));
    assertEquals(client.closeCode, 1000);
    client.abort();
  });

  test("may be one message of any size", async () => {
    const { client, server } = await open({ maxQueuedSize: 1 });
    server.message("x".repeat(5000));
    server.message("second");
    await settle();
    assertEquals(String(await client.readMessage()).length, 5000);
    assertEquals(await client.readMessage(), "second");
    client.abort();
  });

  test("do not stop the output, and waiting output does not stop the reading", async () => {
    const { client, server } = await open({ highWaterMark: 100, pair: { capacity: 0 } });
    server.transport.pause();
    client.writeMessage("x".repeat(5000));
    await settle();
    server.message("read on"); // This server reads nothing until its own output is read.
    assertEquals(await client.readMessage(), "read on");
    client.abort();
  });

  test("can still be read after the end", async () => {
    for (const end of ["close", "end", "reset"] as const) {
      const { client, server } = await open({ maxQueuedSize: 150 });
      for (const message of ["a", "b", "c", "d"]) server.message(message);
      if (end === "close") server.close(1001, "bye");
      await settle();
      if (end !== "close") server[end]();
      await settle();
      for (const message of ["a", "b", "c", "d"]) {
        assertEquals(await client.readMessage(), message, end);
      }
      if (end === "close") assertEquals(await client.readMessage(), undefined);
      else await assertRejects(() => client.readMessage(), WebSocketClosedError);
      client.abort();
    }
  });
});
