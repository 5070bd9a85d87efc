/**
 * Reports about real clients, proxies and health checks. Each row runs whole, byte by byte, and split at
 * every position.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { Settings } from "../../src/server/settings.ts";
import { latin1Bytes, placesToSplit } from "../support/bytes.ts";
import { Recording } from "../support/recording.ts";
import { Rig, settle, untilQuiet } from "../support/rig.ts";

/** A request, and the expected response. */
interface Row {
  readonly name: string;
  readonly request: string;
  /** The whole response, without the parts that differ each time. */
  readonly answer: string;
  readonly settings?: Partial<Settings>;
  /** The line in the log, if there is one. */
  readonly logged?: string;
}

function lines(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

const KEY3 = "^n:ds[4U";
/** The response to the keys below with {@linkcode KEY3}. */
const PROOF = "8jKS'y:G*Co,Wxa-";

/** A request of draft76, with some fields in another form. */
function draft76(changed: Readonly<Record<string, string>>, target = "/"): string {
  const fields = {
    Upgrade: "WebSocket",
    Connection: "Upgrade",
    Host: "example.com",
    Origin: "http://example.com",
    "Sec-WebSocket-Key1": "4 @1  46546xW%0l 1 5",
    "Sec-WebSocket-Key2": "12998 5 Y3 1  .P00",
    ...changed,
  };
  const all = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return lines(`GET ${target} HTTP/1.1`, ...all) + KEY3;
}

function accepted76(location: string, origin = "http://example.com"): string {
  return lines(
    "HTTP/1.1 101 WebSocket Protocol Handshake",
    "Upgrade: WebSocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Origin: ${origin}`,
    `Sec-WebSocket-Location: ${location}`,
  ) + PROOF;
}

function draft75(connection: string): string {
  return lines(
    "GET / HTTP/1.1",
    "Upgrade: WebSocket",
    connection,
    "Host: example.com",
    "Origin: http://example.com",
  );
}

const ACCEPTED75 = lines(
  "HTTP/1.1 101 Web Socket Protocol Handshake",
  "Upgrade: WebSocket",
  "Connection: Upgrade",
  "WebSocket-Origin: http://example.com",
  "WebSocket-Location: ws://example.com/",
);

function rfc6455(target: string, ...fields: readonly string[]): string {
  return lines(
    `GET ${target} HTTP/1.1`,
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...fields,
  );
}

const ACCEPTED = lines(
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
);

const WELL = lines("HTTP/1.1 204 No Content", "connection: close");
const PROXY: Partial<Settings> = { trustProxy: ["127.0.0.1"] };

const rows: readonly Row[] = [
  {
    name: "Java-WebSocket up to 1.3: a DEL in a key of draft76",
    request: draft76({ "Sec-WebSocket-Key1": "4 @1  46546xW%0l\x7f 1 5" }),
    answer: accepted76("ws://example.com/"),
  },
  {
    name: "a DEL at the ends of a key",
    request: draft76({ "Sec-WebSocket-Key2": "\x7f12998 5 Y3 1  .P00\x7f" }),
    answer: accepted76("ws://example.com/"),
  },
  {
    name: "embedded clients: no Origin in draft76, and so none in the answer",
    request: draft76({}).replace("Origin: http://example.com\r\n", ""),
    answer: accepted76("ws://example.com/").replace(
      "Sec-WebSocket-Origin: http://example.com\r\n",
      "",
    ),
  },
  {
    name: "a Content-Length of 0 in draft76, with key3 behind the head",
    request: draft76({ "Content-Length": "0" }),
    answer: accepted76("ws://example.com/"),
  },
  {
    name: "control characters in other fields, and in the origin, which is echoed",
    request: draft76({
      "Cookie": "a=\x7f\x01",
      "User-Agent": "TV\x1b",
      "Origin": "http://example.com\x7f",
    }),
    answer: accepted76("ws://example.com/", "http://example.com\x7f"),
    settings: { allowedOrigins: ["http://example.com\x7f"] },
  },
  {
    name: "control characters in a field of version 13",
    request: rfc6455("/", "Host: a", "X-Name: \x7f\x02"),
    answer: ACCEPTED,
  },
  {
    name: "lighttpd as a proxy: Connection: close, upgrade in draft76",
    request: draft76({ Connection: "close, upgrade" }),
    answer: accepted76("ws://example.com/"),
  },
  {
    name: "Connection: keep-alive, Upgrade in draft76",
    request: draft76({ Connection: "keep-alive, Upgrade" }),
    answer: accepted76("ws://example.com/"),
  },
  {
    name: "two Connection fields in draft76",
    request: draft76({ Connection: "close\r\nConnection: Upgrade" }),
    answer: accepted76("ws://example.com/"),
  },
  {
    name: "Connection: close, upgrade in draft75",
    request: draft75("Connection: close, upgrade"),
    answer: ACCEPTED75,
  },
  {
    name: "two Connection fields in draft75",
    request: draft75("Connection: Upgrade\r\nConnection: close"),
    answer: ACCEPTED75,
  },
  {
    name: "two Connection fields in version 13",
    request: rfc6455("/", "Host: a", "Connection: close"),
    answer: ACCEPTED,
  },
  {
    name: "nginx with $host:$server_port: the default port in the Host of draft76",
    request: draft76({ Host: "example.com:80" }, "/demo?a=b"),
    answer: accepted76("ws://example.com/demo?a=b"),
  },
  {
    name: "nginx with TLS and $host:$server_port, which says https",
    request: draft76({
      "Host": "example.com:443",
      "Origin": "https://example.com",
      "X-Forwarded-Proto": "https",
    }),
    answer: accepted76("wss://example.com/", "https://example.com"),
    settings: PROXY,
  },
  {
    name: "another port than the scheme's own",
    request: draft76({ Host: "example.com:443", Origin: "http://example.com:443" }),
    answer: accepted76("ws://example.com:443/", "http://example.com:443"),
  },
  {
    name: "a default port in the URL of the request-target",
    request: draft76({ Host: "proxy" }, "ws://example.com:80/demo"),
    answer: accepted76("ws://example.com/demo"),
  },
  ...["ws", "wss", "http", "https", "WS"].map((scheme): Row => ({
    name: `ws-rs through a forward proxy: a ${scheme} URL, whose authority replaces Host`,
    request: rfc6455(`${scheme}://example.com/?a=b`, "Host: proxy", "Origin: http://example.com"),
    answer: ACCEPTED,
    settings: { allowedHosts: ["example.com"] },
  })),
  {
    name: "a ws URL without a path",
    request: rfc6455("ws://example.com", "Host: example.com"),
    answer: ACCEPTED,
  },
  ...["1.0", "1.1"].flatMap((version): Row[] => [
    {
      name: `Apache's health check, OPTIONS * HTTP/${version}`,
      request: lines(`OPTIONS * HTTP/${version}`, "Host: x"),
      answer: WELL,
    },
    {
      name: `the same, OPTIONS * HTTP/${version}, with fetch, which is not asked`,
      request: lines(`OPTIONS * HTTP/${version}`, "Host: x"),
      answer: WELL,
      settings: { fetch: () => new Response("no page", { status: 404 }) },
    },
    {
      name: `OPTIONS * HTTP/${version} with a body, which is dropped`,
      request: lines(`OPTIONS * HTTP/${version}`, "Host: x", "Content-Length: 5") + "hello",
      answer: WELL,
    },
  ]),
  {
    name: "no Origin in draft75, which is refused without a word",
    request: draft75("Connection: Upgrade").replace("Origin: http://example.com\r\n", ""),
    answer: "",
    logged: 'Ended a draft75 handshake for "/" without a response: ' +
      "Origin must be sent (draft75, server-side requirements)",
  },
  { name: "OPTIONS * HTTP/1.0 without a Host", request: lines("OPTIONS * HTTP/1.0"), answer: WELL },
];

/** Whole, byte by byte, and in two parts. */
function* splits(text: string): Generator<readonly [how: string, pieces: Uint8Array[]]> {
  const bytes = latin1Bytes(text);
  yield ["whole", [bytes]];
  yield ["byte by byte", Array.from(bytes, (byte) => Uint8Array.of(byte))];
  for (const at of placesToSplit(text)) {
    yield [`split at ${at}`, [bytes.subarray(0, at), bytes.subarray(at)]];
  }
}

describe("reported: the response to", () => {
  for (const { name, request, answer, settings = {}, logged } of rows) {
    test(name, async () => {
      const rig = new Rig([["/", Recording, []], ["/demo", Recording, []]], settings);
      const clients = Array.from(splits(request), ([how, pieces]) => {
        const { client } = rig.join();
        for (const piece of pieces) client.write(piece);
        return { how, client };
      });
      await untilQuiet();
      // Of lines of one kind, only the first is logged.
      assertEquals(rig.logged, logged === undefined ? [] : [logged]);
      for (const { how, client } of clients) {
        const { raw } = client;
        client.reset();
        assertEquals(raw.replace(/date: [^\r]+\r\n/, ""), answer, how);
      }
    });
  }
});

describe("reported: frames of versions 7 and 8", () => {
  /** A handler that echoes, and records the end. */
  class Echo extends Recording {
    override onMessage(message: string): void {
      this.writeMessage(message);
    }
    override onClose(): void {
      this.note(`close ${this.closeCode}`);
    }
  }

  const frames: [name: string, frame: string, answer: string, events: string[], in13: string][] = [
    [
      "older clients: a length that is not in the fewest bytes",
      "\x81\xfe\x00\x05\0\0\0\0Hello",
      "text Hello",
      ["open"],
      "close 1002 lengths must be in the fewest bytes (RFC 6455 §5.2)",
    ],
    [
      "Firefox 6 to 10: the close code 1004",
      "\x88\x82\0\0\0\0\x03\xec",
      "close 1004",
      ["open", "close 1004"],
      "close 1002 close code 1004 must not be on the wire (RFC 6455 §7.4)",
    ],
  ];
  for (const [name, frame, answer, events, in13] of frames) {
    for (const version of ["hybi-07", "hybi-08", "rfc6455"] as const) {
      test(`${name}, in ${version}`, async () => {
        for (const pieces of [[frame], [...frame]]) {
          const noted: string[] = [];
          const client = await new Rig([["/", Echo, noted]]).open(version);
          for (const piece of pieces) client.write(piece);
          await settle();
          assertEquals(client.events[0], version === "rfc6455" ? in13 : answer);
          if (version !== "rfc6455") assertEquals(noted, events);
          client.reset();
        }
      });
    }
  }
});
