import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, test } from "node:test";
import { DEFLATE_OFFERS } from "../handshake/deflate_offers.ts";
import { bytes } from "../protocol/hixie_cases.ts";
import { chopped } from "../protocol/hixie_receive.ts";
import { close, frame, text } from "../protocol/hybi_frames.ts";
import { RawClient } from "../support/raw_client.ts";
import { Echo, withServer } from "./echo_server.ts";
import { headOf, request } from "./http_answer.ts";
import { assertBytes, closeFrame } from "./server_frames.ts";
import { forAll, turn } from "./talk.ts";

/** The example of RFC 6455 §1.3, without optional fields. */
const LINES: readonly string[] = [
  "GET / HTTP/1.1",
  "Host: localhost",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
];

/** The exact response to it. */
const ACCEPTED =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/** The example, with some lines replaced by others with the same beginning, and with additional lines. */
function withLines(...lines: string[]): string[] {
  const nameOf = (line: string) => /^[^: ]+/.exec(line)?.[0].toLowerCase();
  const replaced = LINES.map((line) =>
    lines.find((other) => nameOf(other) === nameOf(line)) ?? line
  );
  return [...replaced, ...lines.filter((line) => !replaced.includes(line))];
}

function without(name: string): string[] {
  return LINES.filter((line) => !line.startsWith(`${name}:`));
}

describe("a correct opening handshake over a socket gets a 101 (RFC 6455 §4.2.2)", () => {
  const accepted: [name: string, lines: readonly string[]][] = [
    ["the example", LINES],
    ["the query belongs to no path", withLines("GET /?room=1 HTTP/1.1")],
    ["a target in absolute form", withLines("GET http://localhost/ HTTP/1.1")],
    ["Upgrade in any case", withLines("Upgrade: WebSocket")],
    ["Upgrade among others", withLines("Upgrade: h2c, websocket")],
    ["Connection in any case", withLines("Connection: upgrade")],
    ["Connection among others, as Firefox sends it", withLines("Connection: keep-alive, Upgrade")],
    ["Connection in a list with gaps", withLines("Connection: , keep-alive ,,\tUPGRADE,")],
    ["names in lower case", LINES.map((line) => line.replace(/^[\w-]+:/, (n) => n.toLowerCase()))],
    ["names in upper case", LINES.map((line) => line.replace(/^[\w-]+:/, (n) => n.toUpperCase()))],
    ["fields in another order", [LINES[0] ?? "", ...LINES.slice(1).reverse()]],
    ["no space behind colons", LINES.map((line) => line.replace(": ", ":"))],
    ["much space around values", LINES.map((line) => line.replace(/: (.*)$/, ": \t $1 \t"))],
    ["fields that it does not know", withLines("X-Any: thing", "Cookie: a=b; c=d")],
    ["its own origin", withLines("Origin: http://localhost")],
    [
      "extensions that it does not know",
      withLines("Sec-WebSocket-Extensions: deflate-stream, a;b=c"),
    ],
    ["compression, which is off", withLines("Sec-WebSocket-Extensions: permessage-deflate")],
    ["subprotocols, none of which is chosen", withLines("Sec-WebSocket-Protocol: chat, superchat")],
    ["Content-Length: 0", withLines("Content-Length: 0")],
  ];

  test(`${accepted.length} rows, byte by byte equal`, () =>
    withServer(
      {},
      (port) =>
        forAll(accepted.map(([name, lines]) => ({ name, lines })), async ({ lines }) => {
          const { head, rest } = await request(port, lines);
          assertEquals(head, ACCEPTED);
          assertEquals(rest, "");
        }),
    ));

  test("the request may be followed by frames, or arrive byte by byte", () =>
    withServer({}, async (port) => {
      const sent = bytes(headOf(LINES), text("Hello"), close(1000));
      const expected = bytes(
        ACCEPTED,
        frame({ opcode: 1, payload: "Hello", maskingKey: null }),
        closeFrame(1000),
      );
      for (const size of [1, 7, sent.length - 1, sent.length]) {
        const client = await RawClient.connect({ port });
        for (const piece of chopped(sent, size)) {
          client.write(piece);
          await turn();
        }
        assertBytes(await client.readToEnd(), expected);
        await client.destroy();
      }
    }));
});

/** A refused request. */
type Refused = readonly [name: string, lines: readonly string[], status: number, because: string];

describe("a request that breaks a rule of the handshake is refused (RFC 6455 §4.2.1)", () => {
  const key = "Sec-WebSocket-Key";
  const refused: Refused[] = [
    [
      "no GET",
      ["POST / HTTP/1.1", ...LINES.slice(1), "Content-Length: 0"],
      405,
      "is a GET (RFC 6455 §4.1)",
    ],
    ["HTTP/1.0", ["GET / HTTP/1.0", ...LINES.slice(1)], 400, "must be HTTP/1.1"],
    ["no Host", without("Host"), 400, "must have a Host"],
    ["an empty Host", withLines("Host:"), 400, "Host must be"],
    ["two Hosts", withLines("Host: localhost", "Host: localhost "), 400, "Host must be sent once"],
    ["no Upgrade", without("Upgrade"), 426, "is needed"],
    ["another Upgrade", withLines("Upgrade: websockets"), 426, "is needed"],
    ["no Connection", without("Connection"), 400, "Connection must include Upgrade"],
    ["another Connection", withLines("Connection: keep-alive"), 400, "Connection must include"],
    ["no key", without(key), 400, `${key} must be sent once, as 16 bytes in base64`],
    ["an empty key", withLines(`${key}:`), 400, "must be sent once"],
    ["15 bytes", withLines(`${key}: dGhlIHNhbXBsZSBub25j`), 400, "must be sent once"],
    ["17 bytes", withLines(`${key}: dGhlIHNhbXBsZSBub25jZSE=`), 400, "must be sent once"],
    ["no base64", withLines(`${key}: dGhlIHNhbXBsZSBub25jZ_==`), 400, "must be sent once"],
    ["two keys", withLines(`${LINES[4]}`, `${LINES[4]} `), 400, "must be sent once"],
    ["no version", without("Sec-WebSocket-Version"), 426, "rfc6455, hybi-08, hybi-07"],
    ...["", "0", "6", "9", "12", "14", "25", "013", "13, 8", "13.0", "abc"].map((
      version,
    ): Refused => [
      `version ${version}`,
      withLines(`Sec-WebSocket-Version: ${version}`),
      426,
      "§4.2.2",
    ]),
    ["another origin", withLines("Origin: http://example.com"), 403, "may not connect"],
    ["no path of a route", withLines("GET /other HTTP/1.1"), 404, "no route"],
    ["a body", withLines("Content-Length: 5"), 400, "must not have a body (RFC 9110 §9.3.1)"],
    ["a chunked body", withLines("Transfer-Encoding: chunked"), 400, "must not have a body"],
    ...["a b", "a; b=c d", ";", "a; =b", 'a; b="c', 'a; b="c d"', "a b; c"].map((list): Refused => [
      `extensions ${list}`,
      withLines(`Sec-WebSocket-Extensions: ${list}`),
      400,
      "§9.1",
    ]),
    ["an empty list of subprotocols", withLines("Sec-WebSocket-Protocol:"), 400, "§11.3.4"],
    ["a subprotocol twice", withLines("Sec-WebSocket-Protocol: a, a"), 400, "(RFC 6455 §4.1)"],
    ["no token", withLines("Sec-WebSocket-Protocol: a b"), 400, "(RFC 6455 §11.3.4)"],
  ];

  test(`${refused.length} rows, with the status, the reason, and the end of the connection`, () =>
    withServer({}, (port) =>
      forAll(
        refused.map(([name, lines, status, because]) => ({ name, lines, status, because })),
        async ({ lines, status, because }) => {
          const answer = await request(port, lines);
          assertEquals(answer.status, status);
          assertStringIncludes(answer.rest, because.replace("§", "section "));
          assertEquals(answer.fields.get("content-length"), `${answer.rest.length}`);
          assertStringIncludes(answer.fields.get("connection") ?? "", "close");
          if (status === 405) assertEquals(answer.fields.get("allow"), "GET");
          if (status !== 426) return;
          assertEquals(answer.fields.get("sec-websocket-version"), "13, 8, 7");
          assertEquals(answer.fields.get("upgrade"), "websocket");
          assertStringIncludes(answer.fields.get("connection") ?? "", "Upgrade");
        },
      )));
});

describe("the extensions over a socket (RFC 7692 §7.1)", () => {
  for (const contextTakeover of [true, false]) {
    test(`${DEFLATE_OFFERS.length} offers, ${contextTakeover ? "with" : "without"} context takeover`, () =>
      withServer({ compression: { contextTakeover } }, (port) =>
        forAll(
          DEFLATE_OFFERS.map(([offer, keep, forget]) => ({ name: offer, keep, forget })),
          async ({ name, keep, forget }) => {
            const lines = withLines(`Sec-WebSocket-Extensions: ${name}`);
            const { status, fields } = await request(port, lines);
            const parameters = contextTakeover ? keep : forget;
            const answer = parameters === undefined
              ? null
              : ["permessage-deflate", parameters].filter((part) => part !== "").join("; ");
            assertEquals([status, fields.get("sec-websocket-extensions")], [101, answer]);
          },
        )));
  }

  test("offers may be in several fields", () =>
    withServer({ compression: {} }, async (port) => {
      const { fields } = await request(port, [
        ...LINES,
        "Sec-WebSocket-Extensions: permessage-deflate; unknown",
        "sec-websocket-extensions: permessage-deflate; server_max_window_bits=10",
      ]);
      assertStringIncludes(
        fields.get("sec-websocket-extensions") ?? "",
        "server_max_window_bits=10",
      );
    }));
});

describe("the fields that a handler adds to the response", () => {
  class Choosing extends Echo {
    override prepare(): void {
      this.setHeader("Set-Cookie", "a=b");
      this.setHeader("Set-Cookie", "c=d");
    }
    override selectSubprotocol(offered: readonly string[]): string | undefined {
      return offered.at(-1);
    }
  }

  test("are the chosen subprotocol and its own fields", () =>
    withServer({}, async (port) => {
      const { head } = await request(port, withLines("Sec-WebSocket-Protocol: chat, superchat"));
      const fields =
        "Sec-WebSocket-Protocol: superchat\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\n";
      assertEquals(head, ACCEPTED.slice(0, -2) + fields);
    }, { handler: Choosing }));

  test("have no subprotocol if none was offered", () =>
    withServer({}, async (port) => {
      const { fields } = await request(port, LINES);
      assertEquals(fields.get("sec-websocket-protocol"), null);
    }, { handler: Choosing }));
});
