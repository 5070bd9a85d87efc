import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { type AccessEntry, Application, WebSocketHandler } from "../../mod.ts";
import { websocketConnect } from "../../src/client/mod.ts";
import { WEBSOCKET_VERSIONS } from "../../src/handshake/versions.ts";
import { latin1Bytes } from "../support/bytes.ts";
import { Draft76Client } from "../support/draft76_client.ts";
import { makeOpening } from "../support/memory_client.ts";
import { textFrame } from "../support/wire_client.ts";
import { HANDSHAKE, type Host, KINDS, withHost } from "./support.ts";

const MESSAGES = ["Hello", "", "žluťoučký kůň 👋🏽", "x".repeat(200_000)];

async function echoes(host: Host, version: (typeof WEBSOCKET_VERSIONS)[number]): Promise<void> {
  const isDraft = version === "draft75" || version === "draft76";
  const connection = await websocketConnect(host.url("/echo"), {
    version,
    ...(isDraft ? {} : { compression: { threshold: 0 } }),
    ...(host.secure ? { tls: { insecure: true } } : {}),
  });
  for (const message of MESSAGES) connection.writeMessage(message);
  for (const message of MESSAGES) assertEquals(await connection.readMessage(), message);
  connection.close(isDraft ? undefined : 1000);
  assertEquals(await connection.readMessage(), undefined);
  await connection.closed;
}

for (const kind of KINDS) {
  describe(`every version on ${kind}`, () => {
    test("beside requests", async () => {
      await withHost(async (host) => {
        for (const version of WEBSOCKET_VERSIONS) {
          await echoes(host, version);
          assert((await host.ask(`/${version}`)).startsWith("HTTP/1.1 200 "));
        }
        assertEquals(host.app.stats().connections.total, 5);
      }, { kind, settings: { compression: { threshold: 0 } } });
    });
  });
}

/** The handshake and a message, and the echo of the message. */
function conversation(version: (typeof WEBSOCKET_VERSIONS)[number], port: number) {
  const { head, key3 } = makeOpening(version, { path: "/echo", host: `127.0.0.1:${port}` });
  const frame = textFrame("Hello", version);
  const isDraft = version === "draft75" || version === "draft76";
  return {
    sent: new Uint8Array([...latin1Bytes(head), ...key3, ...frame]),
    headLength: head.length,
    received: isDraft ? frame : Uint8Array.of(0x81, 5, ...latin1Bytes("Hello")),
  };
}

describe("a handshake in pieces", () => {
  for (const version of WEBSOCKET_VERSIONS) {
    test(`of ${version} is the same whole, in bytes and split around its end`, async () => {
      await withHost(async (host) => {
        const { sent, headLength, received } = conversation(version, host.port);
        const cuts = [0, headLength - 1, headLength, headLength + 1, headLength + 9];
        const ways = [
          [...sent].map((byte) => Uint8Array.of(byte)),
          ...cuts.map((cut) => [sent.subarray(0, cut), sent.subarray(cut)]),
        ];
        for (const pieces of ways) {
          const client = await host.connect();
          for (const piece of pieces) {
            client.write(piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
          const answer = await client.readThrough("\r\n\r\n");
          assert(new TextDecoder().decode(answer).startsWith("HTTP/1.1 101 "));
          if (version === "draft76") await client.read(16);
          assertEquals(await client.read(received.length), received);
          await client.destroy();
        }
      });
    });
  }
});

describe("an attached application", () => {
  test("answers draft76 with strict keys, whenever key3 comes", async () => {
    await withHost(async (host) => {
      for (const holdKey3 of [false, true]) {
        const url = `ws://127.0.0.1:${host.port}/echo`;
        const client = await Draft76Client.connect({ port: host.port, url, holdKey3 });
        client.send("draft");
        assertEquals(await client.receiveText(), "draft");
        await client.close();
        await client.destroy();
      }
    });
  });

  test("reads the request as it was sent, and tells addresses, TLS and the raw request", async () => {
    for (const kind of KINDS) {
      await withHost(async (host) => {
        host.server.prependListener("request", () => {});
        host.server.timeout = 60_000;
        const client = await host.connect();
        const fields = [
          ...HANDSHAKE,
          "X-Case: One",
          "x-case: Two \xe9",
          "Cookie: session=5",
        ];
        client.write(latin1Bytes(
          ["GET /mirror/a%20b?x=%20 HTTP/1.1", "host: h:1", ...fields, "", ""].join("\r\n"),
        ));
        await client.readThrough("\r\n\r\n");
        const [, short = 0] = await client.read(2);
        const [high = 0, low = 0] = short === 126 ? await client.read(2) : [0, short];
        const bytes = await client.read(high * 256 + low);
        const { timeout, local, remote, ...rest } = JSON.parse(new TextDecoder().decode(bytes));
        assertEquals(rest, {
          name: "a b",
          secure: host.secure,
          url: `http${host.secure ? "s" : ""}://h:1/mirror/a%20b?x=%20`,
          cookie: "5",
          raw: "/mirror/a%20b?x=%20",
          headers: ["host", "h:1", ...fields.flatMap((field) => field.trim().split(": "))],
        });
        assertEquals(local, `tcp 127.0.0.1 ${host.port}`);
        assert(/^tcp 127\.0\.0\.1 [1-9]\d*$/.test(remote), remote);
        // The server's timeout applies to requests, not to WebSockets.
        assertEquals(timeout, 0);
      }, { kind });
    }
  });

  test("has the hooks and counters of its settings", async () => {
    const entries: string[] = [];
    const accessLog = (entry: AccessEntry) => {
      const { hostname } = entry.remoteAddress;
      entries.push(`${entry.kind} ${entry.path} ${hostname}`);
    };
    await withHost(async (host) => {
      const headers = { "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https" };
      const client = await websocketConnect(host.url("/mirror/a"), { headers });
      const { remote, secure } = JSON.parse(String(await client.readMessage()));
      assertEquals([remote, secure], ["tcp 192.0.2.7 0", true]);
      // A second connection from the same address is above the limit.
      await assertRejects(() => websocketConnect(host.url("/echo"), { headers }));
      client.close(1000);
      await client.closed;
      while (host.app.stats().sockets > 0) await new Promise((done) => setTimeout(done, 1));
      await host.ask("/nowhere", ...HANDSHAKE);
      assertEquals(entries, [
        "handshake /mirror/a 192.0.2.7",
        "refusal /echo 192.0.2.7",
        "close /mirror/a 192.0.2.7",
        "refusal /nowhere 127.0.0.1",
      ]);
      const { refused, byRoute } = host.app.stats();
      assertEquals([refused.limit, refused.path], [1, 1]);
      assertEquals(byRoute["/mirror/:name"], { open: 0, total: 1 });
    }, { settings: { accessLog, trustProxy: ["127.0.0.1"], maxConnectionsPerAddress: 1 } });
  });

  test("has the errors of its connections for itself", async () => {
    const ends: string[] = [];
    class Noting extends WebSocketHandler {
      onMessage(): void {}
      override onClose(): void {
        ends.push(`${this.ended?.by} ${this.ended?.code}`);
      }
    }
    for (const kind of KINDS) {
      ends.length = 0;
      await withHost(async (host, attachment) => {
        const errors: unknown[] = [];
        host.server.on("clientError", (error) => errors.push(error));
        const app = new Application([["/noting", Noting]]);
        await using second = app.attach(host.server);
        const head = ["GET /noting HTTP/1.1", "Host: a", ...HANDSHAKE, "", ""].join("\r\n");
        const [garbage, reset] = [await host.connect(), await host.connect()];
        for (const client of [garbage, reset]) {
          client.write(head);
          await client.readThrough("\r\n\r\n");
        }
        // Another request, pipelined like an HTTP client would.
        garbage.write("GET /page HTTP/1.1\r\n\r\n");
        assertEquals((await garbage.read(4)).subarray(0, 1), Uint8Array.of(0x88));
        await garbage.destroy();
        // Node cannot reset a TLS socket.
        if (host.secure) await reset.destroy();
        else reset.reset();
        while (second.connections > 0) await new Promise((done) => setTimeout(done, 1));
        assertEquals([errors, attachment.connections], [[], 0]);
        assertEquals(ends.length, 2);
        // The system tells the ends of two sockets in any order.
        assert(ends.includes("protocol 1002"), ends.join());
        assert((await host.ask("/beside")).startsWith("HTTP/1.1 200 "));
      }, { kind });
    }
  });

  test("serves a connection that has served requests", async () => {
    await withHost(async (host) => {
      const client = await host.connect();
      client.write("GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await client.readThrough("GET /first");
      const head = ["GET /echo HTTP/1.1", "Host: localhost", ...HANDSHAKE, "", ""];
      client.write(head.join("\r\n"));
      const answer = new TextDecoder().decode(await client.readThrough("\r\n\r\n"));
      assert(answer.startsWith("HTTP/1.1 101 "), answer);
      client.write(textFrame("after", "rfc6455"));
      assertEquals(await client.read(7), Uint8Array.of(0x81, 5, ...latin1Bytes("after")));
    });
  });
});

const REFUSALS = [
  { name: "an unknown route", path: "/nowhere", fields: HANDSHAKE, status: 404 },
  { name: "a malformed path", path: "/mirror/%ff", fields: HANDSHAKE, status: 400 },
  {
    name: "a foreign origin",
    path: "/echo",
    fields: [...HANDSHAKE, "Origin: http://evil.example"],
    status: 403,
  },
  {
    name: "an unknown version",
    path: "/echo",
    fields: ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 99"],
    status: 426,
  },
  { name: "a missing key", path: "/echo", fields: HANDSHAKE.slice(0, 3), status: 400 },
  {
    name: "a head beyond maxHeaderSize",
    path: "/echo",
    fields: [...HANDSHAKE, `X: ${"x".repeat(3000)}`],
    status: 431,
  },
] as const;

describe("an attached application refuses", () => {
  for (const { name, path, fields, status } of REFUSALS) {
    test(name, async () => {
      const origin = name === "a foreign origin";
      const logged: string[] = [];
      const settings = {
        maxHeaderSize: 2048,
        ...(origin ? { log: (line: string) => void logged.push(line) } : {}),
      };
      await withHost(async (host) => {
        const answer = await host.ask(path, ...fields);
        assertEquals(answer.split("\r\n")[0]?.split(" ")[1], `${status}`);
        assert((await host.ask("/beside")).startsWith("HTTP/1.1 200 "));
      }, { settings });
      assertEquals(logged.length, origin ? 1 : 0);
    });
  }

  test("a connection beyond maxConnections, and not the server's requests", async () => {
    await withHost(async (host) => {
      const first = await host.connect();
      first.write(["GET /echo HTTP/1.1", "Host: a", ...HANDSHAKE, "", ""].join("\r\n"));
      await first.readThrough("\r\n\r\n");
      assert((await host.ask("/echo", ...HANDSHAKE)).startsWith("HTTP/1.1 503 "));
      assert((await host.ask("/beside")).startsWith("HTTP/1.1 200 "));
      assertEquals(host.app.stats().refused.limit, 1);
    }, { settings: { maxConnections: 1 } });
  });
});
