import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { WebSocketHandler } from "../../src/server/handler.ts";
import { makeOpening, type MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { gate, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** A time that no default reaches. */
const LONG = 100_000_000;

/** A client that leaves in good order when it likes to. */
async function leave(client: MemoryClient): Promise<string> {
  client.end();
  await settle();
  return client.take().join(", ");
}

describe("handshakeTimeout 0 waits for ever for", () => {
  const settings = { handshakeTimeout: 0, pingInterval: 0 };

  for (const version of VERSIONS) {
    test(`a request that comes in pieces (${version})`, async () => {
      const events: string[] = [];
      const rig = new Rig([["/", Recording, events]], settings);
      const { client } = rig.join();
      const { head, key3 } = makeOpening(version);
      for (const piece of [head.slice(0, 1), head.slice(1, -1), head.slice(-1), key3]) {
        await rig.clock.advance(LONG);
        assertEquals([client.take(), events, rig.clock.pending], [[], [], 0]);
        if (piece.length === 0) break;
        client.write(piece);
        await settle();
        if (client.raw !== "" && version !== "draft76") break;
      }
      assertEquals(events, ["open"]);
    });

    test(`prepare() (${version})`, async () => {
      const { promise, open } = gate();
      class Slow extends Recording {
        override prepare(): Promise<void> {
          return promise;
        }
      }
      const events: string[] = [];
      const rig = new Rig([["/", Slow, events]], settings);
      const { head, key3 } = makeOpening(version);
      const client = await rig.send(head);
      client.write(key3);
      await rig.clock.advance(LONG);
      assertEquals([client.raw, client.take(), rig.clock.pending], ["", [], 0]);
      open();
      await settle();
      assertEquals(events, ["open"]);
    });
  }

  test("the body of a plain request, and a client that takes no response", async () => {
    const fetch = async (request: Request) => new Response((await request.text()).repeat(1000));
    const rig = new Rig([], { ...settings, fetch, highWaterMark: 100, closeTimeout: 0 });
    const { client } = rig.join({ capacity: 0 });
    client.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell");
    await rig.clock.advance(LONG);
    assertEquals([client.raw, client.take()], ["", []]);
    client.transport.pause();
    client.write("o");
    await settle();
    await rig.clock.advance(LONG);
    assertEquals(client.take(), []);
    client.transport.resume();
    await client.until("the end", () => client.raw.endsWith("hello".repeat(1000)));
  });
});

describe("closeTimeout 0 waits for ever for the client's part", () => {
  class Closing extends WebSocketHandler {
    onMessage(): void {
      this.close(1000);
    }
  }

  for (const version of VERSIONS) {
    test(`of the closing handshake (${version})`, async () => {
      const rig = new Rig(Closing, { closeTimeout: 0, pingInterval: 1000, pingTimeout: 1000 });
      const client = await rig.open(version);
      client.send("close");
      await settle();
      const heard = HYBI.includes(version)
        ? ["close 1000"]
        : version === "draft76"
        ? ["close"]
        : [];
      assertEquals(client.take().filter((event) => event !== "FIN"), heard);
      await rig.clock.advance(LONG);
      assertEquals([client.take(), rig.clock.pending], [[], 0]);
      assertEquals(await leave(client), version === "draft75" ? "gone" : "FIN, gone");
    });
  }

  test("of a refusal's end", async () => {
    const rig = new Rig([], { closeTimeout: 0 });
    const client = await rig.send(makeOpening("rfc6455").head);
    assertEquals(client.parseAnswer().status, 404);
    await rig.clock.advance(LONG);
    assertEquals([client.take(), rig.clock.pending], [["FIN"], 0]);
    assertEquals(await leave(client), "gone");
  });
});

describe("Infinity is no limit for", () => {
  const limits = {
    maxHeaderSize: Infinity,
    maxHeaderCount: Infinity,
    maxBodySize: Infinity,
    maxMessageSize: Infinity,
    maxFragments: Infinity,
    maxFragmentSize: Infinity,
    maxQueuedSize: Infinity,
    highWaterMark: Infinity,
    maxBufferedAmount: Infinity,
    maxConnections: Infinity,
    maxConnectionsPerAddress: Infinity,
    pingInterval: 0,
  };

  /** Counts what it gets. */
  class Counting extends WebSocketHandler<number[]> {
    onMessage(message: string | Uint8Array): void {
      this.options.push(message.length);
    }
  }

  test("a request head", async () => {
    const rig = new Rig([["/", Recording, []]], limits);
    const { head } = makeOpening("rfc6455", {
      fields: Array.from({ length: 1000 }, (_, i) => `X-${i}: ${"x".repeat(100)}`),
    });
    assertEquals((await rig.send(head)).parseAnswer().status, 101);
  });

  for (const framing of ["length", "chunks"]) {
    test(`a body in ${framing}`, async () => {
      const fetch = async (request: Request) => {
        const { byteLength } = await request.arrayBuffer();
        return new Response(`${byteLength}`);
      };
      const rig = new Rig([], { ...limits, fetch });
      const size = 1024 * 1024 + 1;
      const body = "x".repeat(size);
      const [field, content] = framing === "length"
        ? [`Content-Length: ${size}`, body]
        : ["Transfer-Encoding: chunked", `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`];
      const client = await rig.send(`POST / HTTP/1.1\r\nHost: x\r\n${field}\r\n\r\n${content}`);
      await settle();
      assertEquals(client.parseAnswer().body.includes(`${size}`), true);
    });
  }

  /** Beyond every default. */
  const size = 16 * 1024 * 1024 + 1;

  test("a message, and what waits for a client", async () => {
    class Twice extends Counting {
      override onMessage(message: Uint8Array): void {
        super.onMessage(message);
        this.writeMessage(message);
        this.writeMessage(message);
        this.options.push(this.bufferedAmount);
      }
    }
    const seen: number[] = [];
    const rig = new Rig([["/", Twice, seen]], limits);
    const client = await rig.open("rfc6455", { pair: { capacity: 0 } });
    client.transport.pause();
    client.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0));
    client.write(new Uint8Array(size));
    await settle();
    const [length, waiting = 0] = seen;
    assertEquals([length, waiting >= 2 * size, client.take()], [size, true, []]);
    client.reset();
  });

  test("a message of draft76", async () => {
    const sizes: number[] = [];
    const rig = new Rig([["/", Counting, sizes]], limits);
    const client = await rig.open("draft76");
    client.write(Uint8Array.of(0));
    client.write(new Uint8Array(size).fill(0x78));
    client.write(Uint8Array.of(0xff));
    await settle();
    assertEquals([sizes, client.take()], [[size], []]);
  });

  test("a message inflated", async () => {
    const sizes: number[] = [];
    const rig = new Rig([["/", Counting, sizes]], { ...limits, compression: {} });
    const fields = ["Sec-WebSocket-Extensions: permessage-deflate"];
    const client = await rig.open("rfc6455", { fields });
    const deflated = deflateRawSync(new Uint8Array(size));
    const { length } = deflated;
    client.write(Uint8Array.of(0xc2, 0xfe, length >> 8, length & 255, 0, 0, 0, 0));
    client.write(deflated);
    await settle();
    assertEquals([sizes, client.take()], [[size], []]);
  });
});
