import { constants, deflateRawSync } from "node:zlib";
import { describe, test } from "node:test";
import { assertEquals } from "@std/assert";
import type { WebSocketVersion } from "../../src/handshake/versions.ts";
import type { MemoryPairOptions } from "../../src/transport/memory.ts";
import { makeOpening, type MemoryClient } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { HIXIE, HYBI, Rig, settle, VERSIONS } from "../support/rig.ts";

/** Connects a client with an address. */
function from(hostname: string): MemoryPairOptions {
  const end = (name: string) => ({ transport: "tcp" as const, hostname: name, port: 1 });
  return { addresses: [end("192.0.2.1"), end(hostname)] };
}

/** A frame of a client, with a mask of zeros. */
function frame(first: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const size = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] : [
    127,
    ...[56, 48, 40, 32, 24, 16, 8, 0].map((shift) => Math.floor(length / 2 ** shift) & 255),
  ];
  const [short = 0, ...long] = size;
  return Uint8Array.from([first, 0x80 | short, ...long, 0, 0, 0, 0, ...payload]);
}

async function status(rig: Rig, head: string): Promise<number> {
  return (await rig.send(head)).parseAnswer().status;
}

describe("the head of a request", () => {
  for (const version of VERSIONS) {
    test(`${version}: may have maxHeaderSize bytes, but not one more`, async () => {
      const { head } = makeOpening(version);
      const fits = new Rig([["/", Recording, []]], { maxHeaderSize: head.length });
      assertEquals(await status(fits, head), 101);
      const larger = new Rig([["/", Recording, []]], { maxHeaderSize: head.length - 1 });
      assertEquals(await status(larger, head), 431);
    });

    test(`${version}: may have maxHeaderCount fields, but not one more`, async () => {
      const { head } = makeOpening(version);
      const count = head.split("\r\n").length - 3;
      const fits = new Rig([["/", Recording, []]], { maxHeaderCount: count });
      assertEquals(await status(fits, head), 101);
      const larger = new Rig([["/", Recording, []]], { maxHeaderCount: count - 1 });
      assertEquals(await status(larger, head), 431);
    });
  }
});

describe("a message", () => {
  const maxMessageSize = 1000;
  const tooLong =
    "close 1009 a message must not exceed maxMessageSize (1000 bytes) (RFC 6455 §7.4.1)";

  /** What a client receives, and how many messages the handler received. */
  async function outcome(
    version: WebSocketVersion,
    pieces: readonly Uint8Array[],
    settings = {},
  ): Promise<[string[], number]> {
    const events: string[] = [];
    const rig = new Rig([["/", Recording, events]], { maxMessageSize, ...settings });
    const client = await rig.open(version, {
      fields: HYBI.includes(version) ? ["Sec-WebSocket-Extensions: permessage-deflate"] : [],
    });
    for (const piece of pieces) {
      client.write(piece);
      await settle();
    }
    return [client.take(), events.filter((event) => /^(?:text|binary)/.test(event)).length];
  }

  for (const version of HIXIE) {
    for (const [size, fits] of [[1000, true], [1001, false]] as const) {
      test(`${version}: of ${size} bytes ${fits ? "arrives" : "closes the connection"}`, async () => {
        const whole = Uint8Array.from([0x00, ...Array(size).fill(0x61), 0xff]);
        const expected = fits ? [[], 1] : [["FIN"], 0];
        assertEquals(await outcome(version, [whole]), expected);
        assertEquals(
          await outcome(version, [whole.subarray(0, 500), whole.subarray(500)]),
          expected,
        );
        const wide = Uint8Array.from([0x00, ...Array(499).fill([0xc3, 0xa9]).flat(), 0x61, 0x61]);
        const rest = Uint8Array.from(size === 1000 ? [0xff] : [0x61, 0xff]);
        assertEquals(await outcome(version, [wide, rest]), expected);
      });
    }
  }

  for (const version of HYBI) {
    for (const [size, fits] of [[1000, true], [1001, false]] as const) {
      const payload = new Uint8Array(size).fill(0x61);
      const expected = fits ? [[], 1] : [[tooLong, "FIN"], 0];

      test(`${version}: of ${size} bytes ${fits ? "arrives" : "is refused with 1009"}`, async () => {
        for (const opcode of [1, 2]) {
          const whole = frame(0x80 | opcode, payload);
          assertEquals(await outcome(version, [whole]), expected);
          const parts = [whole.subarray(0, 3), whole.subarray(3, 600), whole.subarray(600)];
          assertEquals(await outcome(version, parts), expected);
          const fragments = [
            frame(opcode, payload.subarray(0, 500)),
            frame(0x00, payload.subarray(500, 999)),
            frame(0x80, payload.subarray(999)),
          ];
          assertEquals(await outcome(version, fragments), expected);
        }
      });

      test(`${version}: of ${size} bytes, decompressed, ${fits ? "arrives" : "is refused"}`, async () => {
        const finishFlush = constants.Z_SYNC_FLUSH;
        const deflated = deflateRawSync(payload, { finishFlush }).subarray(0, -4);
        const settings = { compression: {} };
        const [heard, messages] = await outcome(version, [frame(0xc1, deflated)], settings);
        assertEquals([heard[0]?.slice(0, 10), messages], [fits ? undefined : "close 1009", +fits]);
      });
    }

    for (const [frames, fits] of [[10, true], [11, false]] as const) {
      test(`${version}: of ${frames} frames ${fits ? "arrives" : "is refused with 1009"}`, async () => {
        const pieces = Array.from({ length: frames }, (_, i) => {
          const first = i === 0 ? 0x01 : i === frames - 1 ? 0x80 : 0x00;
          return frame(first, new Uint8Array(0));
        });
        const why =
          "close 1009 a message must not exceed maxFragments (10 frames) (RFC 6455 §7.4.1)";
        const expected = fits ? [[], 1] : [[why, "FIN"], 0];
        assertEquals(await outcome(version, pieces, { maxFragments: 10 }), expected);
      });
    }

    for (const [size, fits] of [[100, true], [101, false]] as const) {
      test(`${version}: with a frame of ${size} bytes ${fits ? "arrives" : "is refused with 1009"}`, async () => {
        const frames = [frame(0x01, new Uint8Array(100)), frame(0x80, new Uint8Array(size))];
        const why =
          "close 1009 a frame must not exceed maxFragmentSize (100 bytes) (RFC 6455 §7.4.1)";
        const expected = fits ? [[], 1] : [[why, "FIN"], 0];
        assertEquals(await outcome(version, frames, { maxFragmentSize: 100 }), expected);
      });
    }

    test(`${version}: that announces more is refused at its header, before memory is allocated`, async () => {
      const header = Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0);
      assertEquals(await outcome(version, [header]), [[tooLong, "FIN"], 0]);
    });
  }
});

describe("connections", () => {
  const busy = (setting: string) => `too many connections (${setting})\n`;

  async function open(rig: Rig, options: MemoryPairOptions, fields: readonly string[] = []) {
    const { client } = rig.join(options);
    await client.open("rfc6455", { fields }).catch(() => {});
    const { status, body } = client.parseAnswer();
    return { client, status, body };
  }

  /** Checks that a rejected client can read the reason, and is closed a second later. */
  async function leave(rig: Rig, clients: readonly MemoryClient[]): Promise<void> {
    for (const client of clients) client.end();
    await settle();
    await rig.clock.advance(10_000);
    assertEquals(clients.map((client) => client.events.at(-1)), clients.map(() => "gone"));
    assertEquals(rig.clock.pending, 0);
  }

  test("are limited to maxConnections in total, in any state", async () => {
    const rig = new Rig([["/", Recording, []]], { maxConnections: 3, pingInterval: 0 });
    const silent = rig.join();
    const first = await open(rig, from("203.0.113.1"));
    const second = await open(rig, from("203.0.113.2"));
    assertEquals([first.status, second.status], [101, 101]);
    const third = await open(rig, from("203.0.113.3"));
    assertEquals([third.status, third.body], [503, busy("maxConnections")]);
    silent.client.end();
    await settle();
    const fourth = await open(rig, from("203.0.113.3"));
    assertEquals(fourth.status, 101);
    third.client.end();
    await settle();
    assertEquals(third.client.events, ["FIN", "gone"]);
    await leave(rig, [first.client, second.client, fourth.client]);
  });

  test("of one address are limited to maxConnectionsPerAddress", async () => {
    const rig = new Rig([["/", Recording, []]], { maxConnectionsPerAddress: 2, pingInterval: 0 });
    const clients = [];
    for (const address of ["203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.2"]) {
      const { client, status } = await open(rig, from(address));
      assertEquals(status, 101);
      clients.push(client);
    }
    const { status, body } = await open(rig, from("203.0.113.1"));
    assertEquals([status, body], [503, busy("maxConnectionsPerAddress")]);
    clients[0]?.end();
    await settle();
    const again = await open(rig, from("203.0.113.1"));
    assertEquals(again.status, 101);
    await rig.clock.advance(1100);
    await leave(rig, [...clients.slice(1), again.client]);
  });

  test("behind a trusted proxy count for the client's address, and not for the proxy's", async () => {
    const rig = new Rig([["/", Recording, []]], {
      maxConnectionsPerAddress: 1,
      trustProxy: ["10.0.0.1"],
      pingInterval: 0,
    });
    const proxied = (client: string) =>
      open(rig, from("::ffff:10.0.0.1"), [`X-Forwarded-For: ${client}`]);
    const first = await proxied("203.0.113.1");
    const second = await proxied("203.0.113.2");
    assertEquals([first.status, second.status], [101, 101]);
    const third = await proxied("203.0.113.1");
    assertEquals([third.status, third.body], [503, busy("maxConnectionsPerAddress")]);
    assertEquals(rig.app.stats().refused.limit, 1);
    third.client.end();
    // A client that is not a trusted proxy cannot count as another address.
    const liar = await open(rig, from("198.51.100.9"), ["X-Forwarded-For: 203.0.113.7"]);
    const other = await open(rig, from("198.51.100.9"), ["X-Forwarded-For: 203.0.113.8"]);
    assertEquals([liar.status, other.status], [101, 503]);
    await rig.clock.advance(1100);
    await leave(rig, [first.client, second.client, liar.client]);
  });

  test("over a unix socket have no address, and no limit", async () => {
    const rig = new Rig([["/", Recording, []]], { maxConnectionsPerAddress: 1, pingInterval: 0 });
    const unix = { transport: "unix" as const, hostname: "", port: 0 };
    const clients = [];
    for (let i = 0; i < 3; i++) {
      const { client, status } = await open(rig, { addresses: [unix, unix] });
      assertEquals(status, 101);
      clients.push(client);
    }
    await leave(rig, clients);
  });
});
