import { describe, test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { HttpError, type RefusalReason } from "../../src/errors.ts";
import type { Settings } from "../../src/server/settings.ts";
import { makeOpening } from "../support/memory_client.ts";
import { Recording } from "../support/recording.ts";
import { Rig, untilQuiet } from "../support/rig.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const UPGRADE = [
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Version: 13",
];

function head(line: string, ...fields: readonly string[]): string {
  return [line, ...fields, "", ""].join("\r\n");
}

/** A request, and the expected response. */
interface Row {
  readonly name: string;
  readonly request: string;
  readonly status: number;
  /** Fields of the response. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The reason that is counted. Default: that of the status in `REASONS`. */
  readonly reason?: RefusalReason;
  /** A part of the body. */
  readonly body?: string;
  readonly settings?: Partial<Settings>;
}

/** The reasons that are counted, by status. */
const REASONS: Readonly<Record<number, RefusalReason>> = {
  400: "request",
  403: "origin",
  404: "path",
  405: "method",
  421: "host",
  426: "version",
  431: "request",
  501: "method",
  505: "request",
};

const rows: readonly Row[] = [
  {
    name: "no HTTP",
    request: "\x16\x03\x01\x02\x00\x01\x00",
    status: 400,
    body: "unexpected byte 0x16",
  },
  { name: "no Host", request: head("GET / HTTP/1.1"), status: 400, body: "must have a Host" },
  {
    name: "two Hosts",
    request: head("GET / HTTP/1.1", "Host: a", "Host: b"),
    status: 400,
    body: "Host must be sent once",
  },
  {
    name: "a folded field",
    request: head("GET / HTTP/1.1", "Host: localhost", " folded"),
    status: 400,
    body: "line folding is refused",
  },
  {
    name: "a bare LF",
    request: "GET / HTTP/1.1\nHost: localhost\n\n",
    status: 400,
    body: "HTTP-version",
  },
  {
    name: "a NUL in a field",
    request: head("GET / HTTP/1.1", "Host: local\0host"),
    status: 400,
    body: "0x00",
  },
  {
    name: "a space before the colon",
    request: head("GET / HTTP/1.1", "Host : localhost"),
    status: 400,
    body: "space between a field name and its colon",
  },
  {
    name: "a path that is no percent-encoding",
    request: head("GET /room/%ff HTTP/1.1", ...UPGRADE),
    status: 400,
    body: "percent-encoding",
  },
  {
    name: "a key of another length",
    request: head("GET / HTTP/1.1", ...UPGRADE).replace(KEY, "c2hvcnQ="),
    status: 400,
    reason: "handshake",
    body: "Sec-WebSocket-Key",
  },
  {
    name: "an upgrade without Connection",
    request: head("GET / HTTP/1.1", ...UPGRADE).replace("Connection: Upgrade\r\n", ""),
    status: 400,
    reason: "handshake",
    body: "Connection must include Upgrade",
  },
  {
    name: "a malformed extension",
    request: head("GET / HTTP/1.1", ...UPGRADE, "Sec-WebSocket-Extensions: ;;"),
    status: 400,
    reason: "handshake",
  },
  {
    name: "a handshake with a body",
    request: head("GET / HTTP/1.1", ...UPGRADE, "Content-Length: 5"),
    status: 400,
    reason: "handshake",
    body: "must not have a body",
  },
  {
    name: "a handshake with a chunked body",
    request: head("GET / HTTP/1.1", ...UPGRADE, "Transfer-Encoding: chunked"),
    status: 400,
    reason: "handshake",
    body: "must not have a body",
  },
  {
    name: "another page's origin",
    request: head("GET / HTTP/1.1", ...UPGRADE, "Origin: http://evil.example"),
    status: 403,
    body: 'the origin "http://evil.example" may not connect to ws://localhost/',
  },
  {
    name: "an unknown path",
    request: head("GET /none HTTP/1.1", ...UPGRADE),
    status: 404,
    body: "no route",
  },
  { name: "an unknown path", request: head("GET /none HTTP/1.1", "Host: x"), status: 404 },
  {
    name: "another method, with an upgrade",
    request: head("POST / HTTP/1.1", ...UPGRADE),
    status: 405,
    fields: { allow: "GET" },
  },
  {
    name: "another method",
    request: head("DELETE / HTTP/1.1", "Host: x"),
    status: 405,
    fields: { allow: "GET" },
  },
  {
    name: "another host",
    request: head("GET / HTTP/1.1", ...UPGRADE),
    status: 421,
    settings: { allowedHosts: ["example.com"] },
    body: 'the host "localhost" is not served here',
  },
  {
    name: "the method in lower case, with an upgrade",
    request: head("get / HTTP/1.1", ...UPGRADE),
    status: 405,
    fields: { allow: "GET" },
  },
  {
    name: "the method in lower case",
    request: head("get / HTTP/1.1", "Host: x"),
    status: 405,
    fields: { allow: "GET" },
  },
  {
    name: "a proxy's method",
    request: head("CONNECT example.com:443 HTTP/1.1", "Host: example.com:443"),
    status: 501,
    body: "the method CONNECT is not served",
  },
  {
    name: "two hosts in one field",
    request: head("GET / HTTP/1.1", "Host: a,b"),
    status: 400,
    body: "Host must be sent once, as a host with an optional port",
  },
  {
    name: "a host that is no A-label",
    request: head("GET / HTTP/1.1", "Host: xn--a"),
    status: 400,
    body: "Host must be sent once, as a host with an optional port",
  },
  {
    name: "a URL of another host than the Host that is served",
    request: head("GET ws://evil.example/ HTTP/1.1", ...UPGRADE),
    status: 421,
    settings: { allowedHosts: ["localhost"] },
    body: 'the host "evil.example" is not served here',
  },
  {
    name: "the origin of the Host beside a URL of another host",
    request: head("GET ws://other.example/ HTTP/1.1", ...UPGRADE, "Origin: http://localhost"),
    status: 403,
    body: 'the origin "http://localhost" may not connect to ws://other.example/',
  },
  {
    name: "OPTIONS for another host",
    request: head("OPTIONS * HTTP/1.1", "Host: x"),
    status: 421,
    settings: { allowedHosts: ["example.com"] },
  },
  {
    name: "no upgrade",
    request: head("GET / HTTP/1.1", "Host: x"),
    status: 426,
    fields: {
      "upgrade": "websocket",
      "connection": "Upgrade, close",
      "sec-websocket-version": "13, 8, 7",
    },
  },
  {
    name: "another upgrade",
    request: head("GET / HTTP/1.1", "Host: x", "Upgrade: h2c", "Connection: Upgrade"),
    status: 426,
  },
  {
    name: "an unknown version",
    request: head("GET / HTTP/1.1", ...UPGRADE).replace("13", "14"),
    status: 426,
    fields: { "sec-websocket-version": "13, 8, 7" },
  },
  {
    name: "a version that is not spoken here",
    request: head("GET / HTTP/1.1", ...UPGRADE).replace("13", "7"),
    status: 426,
    fields: { "sec-websocket-version": "13" },
    settings: { versions: ["rfc6455", "draft76"] },
  },
  {
    name: "too large a head",
    request: head("GET / HTTP/1.1", `X: ${"x".repeat(20_000)}`),
    status: 431,
    body: "must not exceed maxHeaderSize (16384 bytes)",
  },
  {
    name: "another HTTP version",
    request: head("GET / HTTP/2.0", "Host: x"),
    status: 505,
    body: "only HTTP/1.0 and HTTP/1.1",
  },
  {
    name: "a draft without TLS",
    request: makeOpening("draft76").head,
    status: 403,
    reason: "version",
    body: "draft76 is accepted over TLS only (secureDraftsOnly)",
    settings: { secureDraftsOnly: true },
  },
];

describe("a request is refused", () => {
  for (const { name, request, status, fields = {}, body = "", ...row } of rows) {
    const { settings = {}, reason = REASONS[status] } = row;
    for (const split of [Infinity, 1]) {
      test(`with ${status} for ${name}${split === 1 ? ", byte by byte" : ""}`, async () => {
        const events: string[] = [];
        const rig = new Rig(
          [["/", Recording, events], ["/room/:name", Recording, events]],
          settings,
        );
        const { client } = rig.join({ split });
        client.write(request);
        await untilQuiet();
        const answer = client.parseAnswer();
        assertEquals(answer.status, status);
        for (const [field, value] of Object.entries(fields)) {
          assertEquals(answer.headers.get(field), value);
        }
        assertStringIncludes(answer.body, body);
        assertStringIncludes(answer.headers.get("connection") ?? "", "close");
        assertEquals(answer.headers.get("content-length"), `${answer.body.length}`);
        // One response, and then the end, whatever follows the request.
        client.write(request);
        client.end();
        await untilQuiet();
        assertEquals(client.parseAnswer().body, answer.body);
        assertEquals([client.events, events], [["FIN", "gone"], []]);
        // Only a refused origin is logged, since the author of a web page cannot see the reason.
        assertEquals(rig.logged.filter((line) => !line.includes("may not connect")), []);
        assertEquals(rig.clock.pending, 0);
        const counted = Object.entries(rig.app.stats().refused).filter(([, count]) => count > 0);
        assertEquals(counted, [[reason ?? "", 1]]);
      });
    }
  }
});

describe("the response to a HEAD", () => {
  test("has no body", async () => {
    const client = await new Rig([["/", Recording, []]]).send(head("HEAD / HTTP/1.1", "Host: x"));
    const { status, headers, body } = client.parseAnswer();
    // The same fields as in the response to a POST, which has a body.
    const rig = new Rig([["/", Recording, []]]);
    const other = (await rig.send(head("POST / HTTP/1.1", "Host: x"))).parseAnswer();
    assertEquals([status, body], [405, ""]);
    assertEquals(headers.get("content-length"), `${other.body.length}`);
  });
});

describe("the fields of an HttpError", () => {
  async function refuse(error: HttpError): Promise<{ raw: string; logged: readonly string[] }> {
    class Refusing extends Recording {
      override prepare(): void {
        throw error;
      }
    }
    const rig = new Rig([["/", Refusing, []]]);
    const client = await rig.send(makeOpening("rfc6455").head);
    return { raw: client.raw, logged: rig.logged };
  }

  test("may describe the body, but not its length", async () => {
    const { raw } = await refuse(
      new HttpError(400, '{"error":1}', {
        "Content-Type": "application/json",
        "Content-Length": "999",
        "Transfer-Encoding": "chunked",
      }),
    );
    assertEquals(
      raw.replace(/date: [^\r]+\r\n/, ""),
      "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n" +
        'content-length: 12\r\nconnection: close\r\n\r\n{"error":1}\n',
    );
  });

  test("that cannot be sent lead to a 500, which is logged", async () => {
    const { raw, logged } = await refuse(new HttpError(400, "no", { "X-Bell": "ding\x07" }));
    assertStringIncludes(raw, "HTTP/1.1 500 Internal Server Error\r\n");
    assertEquals(logged.length, 1);
    assertStringIncludes(logged[0] ?? "", "x-bell");
  });

  test("cannot be injected by the message", async () => {
    const { raw } = await refuse(
      new HttpError(400, "a\r\n\r\nHTTP/1.1 200 OK\r\n\u{1F600}\x1b[31m"),
    );
    const [, body = ""] = raw.split("\r\n\r\n");
    assertEquals(body, "a?\n?\nHTTP/1.1 200 OK?\n???[31m\n");
    assertStringIncludes(raw, `content-length: ${body.length}\r\n`);
  });
});
